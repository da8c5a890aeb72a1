-- SPDX-License-Identifier: GPL-2.0-only
-- lua ci/book/prose.lua [doubled] < build/pipeline: the words of the prose, one
-- per line, as WORD<TAB>CHAPTER:LINE.  Code, labels and citations are left out.
-- With "doubled", only words that follow themselves.
package.path = 'tangle/?.lua;' .. package.path
local nw = require 'nw'
local doubled, last = arg[1] == 'doubled', ''
local book = nw.read(io.lines())
for _, item in ipairs(book.items) do
  if item.kind == 'docs' then
    local fenced = false
    for _, l in ipairs(nw.prose(item)) do
      local text = l.text
      if text:match('^%s*```') or text:match('^%s*~~~') then
        fenced, text = not fenced, ''
      elseif fenced then text = '' end
      text = text:gsub('^:::.*', ''):gsub('\1.-\2', ' . '):gsub('``.-``', ' . '):gsub('`[^`]*`', ' . ')
        :gsub('%b{}', ' '):gsub('%]%b()', ' '):gsub('https?://%S+', ' ')
        :gsub('@[%w_:.-]+', ' . '):gsub('%[%^[%w_-]+%]', ' '):gsub('%$[^$]*%$', ' ')
        :gsub('’', "'")
      for word in text:gmatch('%S+') do
        if doubled and word:lower() == last and word:match('^%a+$')
           and not (word:match('^that$') or word:match('^had$')) then
          print(word .. '\t' .. item.file .. ':' .. l.line)
        end
        last = word:lower()
      end
      if text:match('^%s*$') then last = '' end
      for word in (doubled and '' or text):gmatch("[%w'_#/.\128-\255-]+") do
        -- names with digits, underscores, inner capitals or slashes are not English
        if not word:match('[%d_#/]') and not word:match('%l%u') and not word:match('^%u%u') then
          for piece in word:gmatch("[%a'\128-\255]+") do
            piece = piece:gsub("^'+", ''):gsub("'s$", ''):gsub("'+$", '')
            if #piece > 1 then print(piece .. '\t' .. item.file .. ':' .. l.line) end
          end
        end
      end
    end
  end
end
