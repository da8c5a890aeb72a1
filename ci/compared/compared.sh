# SPDX-License-Identifier: GPL-2.0-only
# Sourced aboard the bench: what has the second reader of chapter 589 seen?
# shellcheck shell=sh
grep -q ' /sys/kernel/debug ' /proc/mounts || mount -t debugfs none /sys/kernel/debug
compared() { # WHO: it has looked, and there was no difference
	awk -v who="$1" '{ n[$1] = $2; line = line " " $1 " " $2 }
		END { print who ":" line; exit !(n["looks"] > 0 && n["ways"] > 0 && n["wrong"] == 0) }' \
		/sys/kernel/debug/lguest/compared && return
	echo "WRONG: $1: there was a difference, or nobody has looked"
	return 1
}
