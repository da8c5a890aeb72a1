# SPDX-License-Identifier: GPL-2.0-only
# On the Host: ride until the driver has had enough, then look for damage.
echo 0 >/proc/sys/kernel/printk
echo 0 >/proc/sys/kernel/nmi_watchdog 2>/dev/null
insmod /lg/lg.ko && insmod /lg/nmitest.ko || exit 1
dmesg -c | grep -o "nmitest: notes.*"
/lg/ride || exit 1
sleep 0.2	# the timer lives
rmmod nmitest && rmmod lg || exit 1
# What our own odd interrupts make it say, and the slowness of an emulator.
odd="No irq handler for vector|callbacks suppressed|Unexpected (LVT|deferred|threshold)"
odd="$odd|[Ss]purious (APIC )?interrupt|unexpected vector|error interrupt|APIC error"
odd="$odd|mce: |Hardware Error|Disabling lock debugging"
odd="$odd|lguest: (ready|trap [0-9]+ in the Switcher)"
odd="$odd|took too long to run|hrtimer: interrupt took|hpet: Lost|clocksource|[Tt][Ss][Cc] |sched_clock"
odd="$odd|RT throttling|NOHZ tick-stop error"
dmesg -r | grep -E '^<[0-4]>|lguest|nmitest' | grep -vE "$odd" >/tmp/log
if grep -q . /tmp/log; then echo "the Host complains:"; cat /tmp/log; exit 1; fi
echo "the Host is well"
