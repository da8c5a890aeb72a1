# SPDX-License-Identifier: GPL-2.0-only
# A Guest that sleeps, seen by the tracepoints, and what they say of themselves.
#= s/^ [^ ]+ \[[0-9]+\] [^ ]+ [0-9.]+: /WHO: /; s/ [0-9]+-[0-9]+\/0 / N-1\/0 /
cat >build/transcript.watched <<'SCRIPT'
insmod /lg/lg.ko || exit 1
grep -q ' /sys/kernel/tracing ' /proc/mounts || mount -t tracefs none /sys/kernel/tracing
grep -q ' /sys/kernel/debug ' /proc/mounts || mount -t debugfs none /sys/kernel/debug
cd /sys/kernel/tracing || exit 1
echo '# cd /sys/kernel/tracing; ls events/lguest'
ls events/lguest
echo "# echo 'sort != 32' >events/lguest/lguest_exit/filter"
echo 'sort != 32' >events/lguest/lguest_exit/filter
echo '# for e in exit hypercall event kick; do echo 1 >events/lguest/lguest_$e/enable; done'
for e in exit hypercall event kick; do echo 1 >events/lguest/lguest_$e/enable; done
echo '# lguest guests/sleeper'
lguest /lg/guests/sleeper
echo "# grep -A 99 TIMER trace | tr -s ' '"
grep -A 99 TIMER trace | tr -s ' '
echo '# grep -A 20 format: events/lguest/lguest_kick/format'
grep -A 20 format: events/lguest/lguest_kick/format
SCRIPT
timeout 200 ci/boot --turns --cpus 2 -- build/transcript.watched
