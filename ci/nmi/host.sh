# SPDX-License-Identifier: GPL-2.0-only
# On the Host: ride until the driver has had enough, then look for damage.
. /end.sh
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
odd="$odd|mce: |Hardware Error|Disabling lock debugging|lguest: trap [0-9]+ in the Switcher"
odd="$odd|took too long to run|hpet: Lost|[Tt][Ss][Cc] |sched_clock"
log_is_clean -e "$odd" || exit 1
echo "the Host is well"
