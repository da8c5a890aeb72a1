# SPDX-License-Identifier: GPL-2.0-only
# Two Guests with belongings on one processor.
#= s/and [0-9]+ interruptions/and N interruptions/
cat >build/transcript.state <<'SCRIPT'
insmod /lg/lg.ko || exit 1
echo '# lguest --arg 1 guests/owner & lguest --arg 2 guests/owner >/tmp/second'
lguest --arg 1 guests/owner & lguest --arg 2 guests/owner >/tmp/second
wait	# whichever of the two was first
echo '# wait; cat /tmp/second'
cat /tmp/second
SCRIPT
ci/boot --cpus 1 -- build/transcript.state
