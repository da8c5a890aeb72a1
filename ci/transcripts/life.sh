# SPDX-License-Identifier: GPL-2.0-only
# A Guest that reboots, one that outlives its processor and a sleep, and its end.
#~ s/process [0-9]+/process 123/
cat >build/transcript.life <<'SCRIPT'
insmod /lg/lg.ko || exit 1
dmesg -c >/dev/null
q() { echo "# $*"; sh -c "$*"; }
q 'lguest guests/phoenix | head -n 3'
q 'lguest --no-reboot guests/phoenix; echo $?'
echo '# taskset 2 lguest guests/spin &'
taskset 2 lguest guests/spin & pid=$!
sleep 1
q 'echo 0 >/sys/devices/system/cpu/cpu1/online'
sleep 1
q 'echo 1 >/sys/devices/system/cpu/cpu1/online'
q 'echo +3 >/sys/class/rtc/rtc0/wakealarm; echo mem >/sys/power/state'
dmesg | grep -oE 'Freezing user space processes$|CPU 1 is now offline|CPU1 is up|PM: suspend exit'
echo '# rmmod lg'
rmmod lg 2>&1
echo "# kill -9 \$!; wait \$!; echo \$?"
kill -9 $pid; wait $pid 2>/dev/null; echo $?
q 'rmmod lg && dmesg | grep -c lguest:' || true
SCRIPT
ci/boot --turns --cpus 2 -- build/transcript.life
