# SPDX-License-Identifier: GPL-2.0-only
# Three slips in a copy of the chapters, and what the laws say.
#= s/[0-9]+/N/g
export LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/book"
cp -r Makefile chapters "$work"
cp book/parts.lua "$work/book"
cd "$work" || exit 1
try() { echo "\$ $*"; eval "$*" 2>&1; }
try "sed -i 's/^<<fill the IDT>>=/<<fill the idt>>=/' chapters/520-window.nw"
mkdir kmod
try "echo 'int forgotten;' > kmod/forgotten.c"
try make tangle
exit 0
