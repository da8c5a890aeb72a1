# SPDX-License-Identifier: GPL-2.0-only
# A Guest reads what the Host has just touched, on the machine that has a TLB
# and with the whole kernel global in it.
#= s/ffff[0-9a-f]{12}/ADDRESS/g
#= s/   cr3.*//
cat >build/transcript.wall <<'END'
insmod /lg/lg.ko || exit 1
echo "# grep -w jiffies_64 /proc/kallsyms"
line=$(grep -m 1 -w jiffies_64 /proc/kallsyms)	# once: it is a long file for Bochs
echo "$line"
at=0x${line%% *}
echo "# lguest --arg $at guests/peek"
lguest --arg $at guests/peek 2>&1 | head -n 1
echo "# lguest --arg $at guests/poke"
lguest --arg $at guests/poke 2>&1 | head -n 1
END
ci/boot --machine bochs --pti off "$@" -- build/transcript.wall 2>build/transcript.wall.err |
	grep -v '^\['
