# SPDX-License-Identifier: GPL-2.0-only
# The promises of chapter 130, each seen once.
cat >build/transcript.promises <<'END'
insmod /lg/lg.ko || exit 1
dmesg -c >/dev/null
say() { echo "# $*"; }
say 'for a in 0xffff800000000000 0xfffffe0000000000 0x800000000000; do lguest --arg $a guests/peek; done'
for a in 0xffff800000000000 0xfffffe0000000000 0x800000000000; do
	lguest --arg $a guests/peek 2>&1 | head -n 1
done
say 'lguest guests/spin & sleep 1; kill -9 $!'
lguest guests/spin & pid=$!
sleep 1
kill -9 $pid
wait $pid 2>/dev/null
say 'dmesg'
dmesg | grep -v -e clocksource -e tsc: -e input: -e hrtimer: -e random:
say 'rmmod lg; dmesg'
n=0
until rmmod lg 2>/dev/null || [ $n -ge 20 ]; do sleep 0.1; n=$((n + 1)); done
dmesg | grep -v -e clocksource -e tsc: -e input: -e hrtimer: -e random: | sed 's/^\[ *[0-9.]*\] //'
END
timeout 400 ci/boot --timeout 300 -- build/transcript.promises
