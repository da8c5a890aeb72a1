# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# For the checks: . ci/lib.sh   (they run from the top folder)
set -uo pipefail
bad=0
scratch=$(mktemp -d "${TMPDIR:-/tmp}/check.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

ok() { echo "ok: $*"; }
wrong() { echo "WRONG: $*"; bad=$((bad + 1)); }
skip() { echo "skipped: $*"; exit 77; }
finish() { [ "$bad" -eq 0 ]; exit; }

# need COMMAND...: a check that cannot run says so
need() {
	local c
	for c; do
		command -v "$c" >/dev/null || skip "no $c here (cure: make setup GROUPS=\"run check book\")"
	done
}

# expect STATUS COMMAND...: run it, compare its status, keep its output in $scratch/out
expect() {
	local want=$1 got=0
	shift
	"$@" >"$scratch/out" 2>&1 || got=$?
	if [ "$got" -eq "$want" ]; then ok "status $got: $*"; return 0; fi
	wrong "status $got, not $want: $*"
	tail -n 20 "$scratch/out"
	return 1
}

# says PATTERN: the last output contains it
says() {
	grep -qE -- "$1" "$scratch/out" && return
	wrong "nothing says \"$1\" in:"
	tail -n 20 "$scratch/out"
}

# clone FOLDER: what a stranger would get by git clone, with today's changes
clone() {
	local f
	mkdir -p "$1"
	git ls-files -co --exclude-standard | while read -r f; do
		[ -e "$f" ] || continue
		mkdir -p "$1/$(dirname "$f")"
		cp -p "$f" "$1/$f"
	done
}
