# SPDX-License-Identifier: GPL-2.0-only
# Some endings.
cat >build/transcript.hostile <<'END'
insmod /lg/lg.ko || exit 1
run() {
	echo "# lguest $*"
	lguest "$@" 2>&1 | grep -v -e '^ *r[0-9abcds]' -e '_base' -e '^ *[cde]s '
}
echo '# lguest --arg 0xffff800000200000 guests/poke'
lguest --arg 0xffff800000200000 guests/poke 2>&1
run --arg 0xffffffff81000000 guests/peek
run --arg 0x800000000000 guests/leap
run --arg 16 guests/privileged
run --arg 32 guests/softint
run --arg 0x23 guests/gates
run --arg 6 guests/liar
run guests/lastwords
END
ci/boot -- build/transcript.hostile
