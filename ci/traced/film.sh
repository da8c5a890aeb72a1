# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# After ci/lib.sh: a program of Debian's that watches a Guest, as chapter 596 prints it.
if [ ! -e kmod/lg.ko ] || [ ! -x launcher/lguest ]; then
	skip "no kmod/lg.ko or launcher/lguest (cure: make)"; fi

# printed WORDS: the line of the chapter that begins so, up to a semicolon
printed() {
	local line
	line=$(sed -n "s/^\($1 [^;]*\)\(;.*\)\?$/\1/p" chapters/596-watched.nw)
	[ -n "$line" ] || { wrong "chapter 596 has no line '$1'" >&2; line=false; }
	echo "$line"
}

# film PROGRAM COMMANDS OPTIONS...: the commands leave in /tmp/film what PROGRAM has seen
film() {
	local program lib add=() commands=$2
	program=$(readlink -f "$(command -v "$1")")
	add=(--add "$program:/bin/$1")
	shift 2
	while read -r lib; do add+=(--add "$(readlink -f "$lib"):$lib"); done < <(ldd "$program" | grep -o '/[^ ]*')
	cat >"$scratch/script" <<END
insmod /lg/lg.ko || exit 1
mount -t tracefs none /sys/kernel/tracing 2>/dev/null
export HOME=/tmp
cd /tmp && ln -s /lg/guests guests || exit 1
$commands
fail=0
while read -r event; do
	grep -qE "[ :]lguest_\$event" /tmp/film || { echo "not in the film: lguest_\$event"; fail=4; }
done </words
grep -c lguest_ /tmp/film
[ \$fail = 0 ] || head -40 /tmp/film
exit \$fail
END
	if timeout $((300 * ${BENCH_SLOW:-1})) ci/boot --turns --cpus 2 --mem 768 --timeout 280 "${add[@]}" \
		--add ci/traced/words:/words "$@" -- "$scratch/script" >"$scratch/out" 2>&1; then
		ok "$(tail -n 1 "$scratch/out") lines of a film"
	else
		wrong "status $?"; tail -n 40 "$scratch/out"
	fi
}
