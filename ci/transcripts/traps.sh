# SPDX-License-Identifier: GPL-2.0-only
# What Guests die of.
cat >build/transcript.traps <<'SCRIPT'
insmod /lg/lg.ko || exit 1
e() { echo "# $*"; "$@" 2>&1 | head -n 1; }
e lguest --arg 0x800000 guests/peek
e lguest --arg 0xffff800000200000 guests/poke
e lguest --arg 0xffffffff81000000 guests/leap
e lguest --arg 0x800000000000 guests/peek
e lguest --arg 1 guests/privileged
e lguest --arg 3 guests/softint
e lguest --arg 32 guests/softint
echo '# dmesg | grep -c lguest'
dmesg | grep -c lguest
SCRIPT
ci/boot -- build/transcript.traps
