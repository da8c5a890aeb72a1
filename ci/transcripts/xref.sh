# SPDX-License-Identifier: GPL-2.0-only
# Ask the weaver's table who uses a function.
#= s/^[0-9]+\.[0-9]+.*/a chunk/
LAWS=warn make -s build/book/woven > /dev/null 2>&1 || exit 1
cat > build/transcript.xref <<'END'
X = dofile 'build/book/md/xref.lua'
for _, n in ipairs(X.idents.kill_guest.uses) do
  print(X.chunks[n].num, X.chunks[n].name)
end
END
echo '$ cat who.lua'
cat build/transcript.xref
echo '$ lua5.4 who.lua | head -6'
lua5.4 build/transcript.xref | head -6
