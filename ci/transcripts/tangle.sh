# SPDX-License-Identifier: GPL-2.0-only
# Tangle a copy of the chapters, tangle again, and let gcc find a slip.
#= s/nw:[0-9]+:[0-9]+/nw:N:N/
#= s/[0-9]+/N/g
export LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/book"
cp -r Makefile chapters "$work"
cp book/parts.lua "$work/book"
cd "$work" || exit 1
try() { echo "\$ $*"; eval "$*" 2>&1; }
try make tangle
try make tangle
try "sed -i 's/exit(status);/exit(status)/' chapters/410-launcher.nw"
try make tangle
try gcc -fsyntax-only build/src/launcher/fail.c
exit 0
