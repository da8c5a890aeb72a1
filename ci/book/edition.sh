# shellcheck shell=bash
# Make one edition (pdf, html, epub) for a check; only one make at a time.
# usage: . ci/book/edition.sh EDITION COMMAND...
edition=$1
shift
for command in pandoc "$@"; do
	command -v "$command" > /dev/null || {
		echo "no $command here (cure: make setup GROUPS=\"book check\")"
		exit 77
	}
done
lua=$(command -v lua5.4 || command -v lua5.3 || command -v texlua)
mkdir -p build
flock build/.book-lock make -s "$edition" || exit 1
