# SPDX-License-Identifier: GPL-2.0-only
# On the Host: ride until the driver has had enough, then look for damage.
echo 1 >/proc/sys/kernel/printk
echo 0 >/proc/sys/kernel/nmi_watchdog 2>/dev/null
insmod /lg/lg.ko && insmod /lg/nmitest.ko || exit 1
dmesg -c | grep -o "nmitest: notes.*"
/lg/ride || exit 1
rmmod nmitest && rmmod lg || exit 1
dmesg | grep -vE 'No irq handler for vector|lguest: (ready|trap [0-9]+ in the Switcher)|spurious (APIC )?interrupt|Unexpected LVT|unexpected vector' >/tmp/log
if grep -q . /tmp/log; then echo "the Host complains:"; cat /tmp/log; exit 1; fi
echo "the Host is well"
