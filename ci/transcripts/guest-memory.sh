# SPDX-License-Identifier: GPL-2.0-only
# Reports and last words at the end of the Guest's memory.
cat >build/transcript.guest-memory <<'SCRIPT'
insmod /lg/lg.ko || exit 1
run() {
	lguest --arg $1 guests/liar >/tmp/out 2>&1
	s=$?
	echo "# lguest --arg $1 guests/liar; echo \$?     ($2)"
	head -n 1 /tmp/out
	echo $s
}
run 14 'a report in the last 24 bytes'
run 15 'one byte further'
run 17 '8 bytes below 2^64'
run 23 'two last words, one of them inside'
SCRIPT
ci/boot -- build/transcript.guest-memory
