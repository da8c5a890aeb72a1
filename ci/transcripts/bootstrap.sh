# SPDX-License-Identifier: GPL-2.0-only
# The Makefile and the chapters, and nothing else: what make takes out of them.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r Makefile chapters "$work"
cd "$work" || exit 1
try() { echo "\$ $*"; eval "$*" 2>&1; }
try ls
try "make help | head -n 3"
try ls tangle
