# SPDX-License-Identifier: GPL-2.0-only
# The promises of chapter 130, each seen once.
cat >build/transcript.promises <<'END'
. /end.sh
insmod /lg/lg.ko || exit 1
dmesg -c >/dev/null
say() { echo "# $*"; }
log() { log_words | sed 's/^<[0-9]*>\[ *[0-9.]*\] //'; }
say 'for a in 0xffff800000000000 0xfffffe0000000000 0x800000000000; do lguest --arg $a guests/peek; done'
for a in 0xffff800000000000 0xfffffe0000000000 0x800000000000; do
	lguest --arg $a guests/peek 2>&1 | head -n 1
done
say 'lguest guests/spin & sleep 1; kill -9 $!'
lguest guests/spin >/tmp/spin & pid=$!
until grep -qs . /tmp/spin; do sleep 0.2; done
cat /tmp/spin
sleep 1
kill -9 $pid
wait $pid 2>/dev/null
say 'dmesg'
log
say 'rmmod lg; dmesg'
module_goes
log
END
ci/boot --add ci/end.sh:/end.sh -- build/transcript.promises
