# SPDX-License-Identifier: GPL-2.0-only
# Guests with page tables of their own.
#= s/[0-9a-f]{16}/ADDRESS/g
cat >build/transcript.own-tables <<'END'
insmod /lg/lg.ko || exit 1
run() {
	echo "# lguest $*"
	lguest "$@" 2>&1 | grep -v -e '^ *r[0-9abcds]' -e '_base' -e '^ *[cde]s ' -e ': loads' -e 'starts at' -e 'and begins'
}
for guest in marks large twice pieces ring; do run -v guests/$guest; done
run --arg 7 guests/levels
run --arg 19 guests/levels
text=$(awk '$3 == "_text" { print "0x" $1; exit }' /proc/kallsyms)
echo "# grep ' _text$' /proc/kallsyms"; grep ' _text$' /proc/kallsyms
run -v --arg $text guests/impostor
run --arg 2 guests/user
run --arg 15 guests/user
run --arg 1 guests/gadget
END
timeout 600 ci/boot -- build/transcript.own-tables
