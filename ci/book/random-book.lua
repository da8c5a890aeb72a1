-- SPDX-License-Identifier: GPL-2.0-only
-- lua ci/book/random-book.lua SEED: a small book of nonsense, full of tabs, empty
-- lines, several names on a line and chunks in several parts.
math.randomseed(tonumber(arg[1]))
local r = math.random
local n = r(2, 6)
local function pick(...) local t = { ... } return t[r(#t)] end
local function filler()
  return pick('', 'x', '\t', '  ', 'a b', '\tif (x)', 'y = "z";', '{', '}', ' ', '\t  \tq', 'é', '@@x', 'w\t')
end
local function line(level)
  local text = filler()
  for _ = 1, r(0, 2) do
    if level < n then text = text .. '<<c' .. r(level + 1, n) .. '>>' .. filler() end
  end
  return text
end
print('# Nonsense\n')
for level = 1, n do
  for _ = 1, r(1, 2) do
    print('<<' .. (level == 1 and 'kmod/root.c' or 'c' .. level) .. '>>=')
    for _ = 1, r(0, 5) do
      local text = line(level)
      if not text:match('^@') then print(text) end
    end
    print(pick('@', '@ %def foo', '@ and some prose'))
    if r(2) == 1 then print('\nwords\n') end
  end
end
