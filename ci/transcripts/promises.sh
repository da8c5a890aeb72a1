# SPDX-License-Identifier: GPL-2.0-only
# The promises of chapter 130, each seen once.
cat >build/transcript.promises <<'END'
insmod /lg/lg.ko || exit 1
dmesg -c >/dev/null
say() { echo "# $*"; }
# Warnings and worse, and every word of ours; not what a busy machine's clock makes the kernel say.
log() { dmesg -r | grep -E '^<[0-4]>|lguest' | grep -v -e clocksource -e tsc: -e TSC -e 'interrupt took' |
	sed 's/^<[0-9]*>\[ *[0-9.]*\] //'; }
say 'for a in 0xffff800000000000 0xfffffe0000000000 0x800000000000; do lguest --arg $a guests/peek; done'
for a in 0xffff800000000000 0xfffffe0000000000 0x800000000000; do
	lguest --arg $a guests/peek 2>&1 | head -n 1
done
say 'lguest guests/spin & sleep 1; kill -9 $!'
lguest guests/spin >/tmp/spin & pid=$!
until grep -q . /tmp/spin; do sleep 0.2; done
cat /tmp/spin
sleep 1
kill -9 $pid
wait $pid 2>/dev/null
say 'dmesg'
log
say 'rmmod lg; dmesg'
n=0
until rmmod lg 2>/dev/null || [ $n -ge 600 ]; do sleep 0.1; n=$((n + 1)); done
log
END
ci/boot -- build/transcript.promises
