-- SPDX-License-Identifier: GPL-2.0-only
-- lua ci/book/links.lua DIR: links, anchors, duplicate ids, alternative texts.
local dir = arg[1]
local pages, links, bad, images = {}, {}, 0, 0
local function complain(...)
  print(string.format(...))
  bad = bad + 1
end
local list = io.popen("cd '" .. dir .. "' && ls *.html")
for page in list:lines() do
  local f = assert(io.open(dir .. '/' .. page))
  local text, ids = f:read('a'), {}
  f:close()
  pages[page] = ids
  for tag, rest in text:gmatch('<(%a[%w]*)([^<>]*)>') do
    local attr = {}
    for key, value in rest:gmatch('([%w:-]+)="([^"]*)"') do attr[key] = value end
    if attr.id then
      if ids[attr.id] then complain('%s: id %s occurs twice', page, attr.id) end
      ids[attr.id] = true
      if attr.id:find('%s') then complain('%s: id "%s" has a space', page, attr.id) end
    end
    if tag == 'img' then
      images = images + 1
      if (attr.alt or '') == '' then complain('%s: picture %s has no alternative text', page, attr.src) end
    end
    local to = attr.href or attr.src
    if to and to ~= '' and not to:match('^%a+:') then
      table.insert(links, { page = page, to = to:gsub('&amp;', '&') })
    elseif to and to:match('^https?:') and tag ~= 'a' then
      complain('%s: <%s> wants the network: %s', page, tag, to)
    end
  end
  for what in text:gmatch('class="transcript"[^>]*><code>%(([^)]*) is not recorded') do
    complain('%s: the transcript %s is missing', page, what)
  end
  for _ in text:gmatch('<em>%(not drawn yet%)</em>') do complain('%s: a figure is missing', page) end
  for what in text:gmatch('nwref<?/?s?p?a?n?>?%d+') do complain('%s: an unresolved %s', page, what) end
  for what in text:gmatch('<strong>%??[%w:-]+%??</strong></a>%)') do
    complain('%s: unresolved citation %s', page, what)
  end
end
for _, l in ipairs(links) do
  local file, id = l.to:match('^([^#]*)#?(.*)$')
  if file == '' then file = l.page end
  if file:match('%.html$') then
    if not pages[file] then complain('%s: no page %s', l.page, file)
    elseif id ~= '' and not pages[file][id] then complain('%s: no anchor %s', l.page, l.to) end
  else
    local f = io.open(dir .. '/' .. file)
    if f then f:close() else complain('%s: no file %s', l.page, file) end
  end
end
local n = 0
for _ in pairs(pages) do n = n + 1 end
print(('%d pages, %d links, %d pictures, %d problems'):format(n, #links, images, bad))
os.exit(bad == 0 and n > 10 and #links > 1000)
