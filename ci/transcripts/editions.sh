# SPDX-License-Identifier: GPL-2.0-only
# One reference to a chunk, as each of the three editions has it.
#= s/[0-9]+/N/g
mkdir -p build
LAWS=warn flock build/.book-lock make -s build/book/lguest.tex html epub >/dev/null 2>&1 || exit 1
try() { echo "\$ $*"; eval "$*"; }
try "grep -ao 'nwuse.*{fill the IDT}{[0-9.]*}' build/book/lguest.tex"
try "grep -ao 'data-n.*data-in.*fill the IDT' book/build/html/520-window.html"
try "unzip -p book/build/lguest.epub 'EPUB/text/*' | grep -ao '\"use\".*fill the IDT'"
