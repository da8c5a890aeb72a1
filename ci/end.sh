# SPDX-License-Identifier: GPL-2.0-only
# Sourced aboard the bench by scripts that ask at their end whether the Host is well.
# shellcheck shell=sh
module_goes() { # those who had it may still be going themselves
	n=0; while ! rmmod lg 2>/tmp/rmmod && [ $n -lt 600 ]; do sleep 0.1; n=$((n + 1)); done
	grep -q '^lg ' /proc/modules || return 0
	cat /tmp/rmmod; echo "WRONG: the module does not unload"
	return 1
}
# Warnings and worse, and every word of ours; not what a busy machine's clock makes the kernel say,
# and not what the check itself brings about: its patterns come with -e.
log_words() {
	dmesg -r | grep -E '^<[0-4]>|lguest|nmitest' | grep -vE -e 'out-of-tree module|module verification failed' \
		-e 'lguest: ready|clocksource|tsc:|TSC found unstable|interrupt took|RT throttling|NOHZ tick-stop error' "$@"
}
# shellcheck disable=SC2120 # the scripts that source this pass patterns
log_is_clean() {
	log_words "$@" >/tmp/log
	[ -s /tmp/log ] || return 0
	echo "WRONG: the Host's log:"; head -40 /tmp/log
	return 1
}

alone() { # PROGRAM [PARAMETER...]: all of a script that runs one program beside the module
	program=$1 fail=0
	shift
	dmesg -c >/dev/null
	insmod /lg/lg.ko "$@" || return 1
	"$program" || fail=1
	module_goes || fail=1
	log_is_clean || fail=1
	return $fail
}
