# SPDX-License-Identifier: GPL-2.0-only
# A Guest that is larger than the machine.
#= s/Rss:[[:space:]]+[0-9]+ kB/Rss: N kB/
#= s/MemTotal:[[:space:]]+[0-9]+ kB/MemTotal: N kB/
cat >build/transcript.borrowed <<'SCRIPT'
insmod /lg/lg.ko || exit 1
echo '# grep MemTotal /proc/meminfo'
grep MemTotal /proc/meminfo
echo '# lguest --memory 4096M --arg 1000 guests/keeper &'
lguest --memory 4096M --arg 1000 guests/keeper & pid=$!
sleep 2
echo '# grep Rss: /proc/$!/smaps_rollup; grep -E "VmLck|VmPin" /proc/$!/status'
grep Rss: /proc/$pid/smaps_rollup; grep -E "VmLck|VmPin" /proc/$pid/status
echo '# echo 1 >/proc/sys/vm/compact_memory'
echo 1 >/proc/sys/vm/compact_memory
echo '# wait $!; echo $?'
wait $pid
echo $?
SCRIPT
timeout 200 ci/boot -- build/transcript.borrowed
