# SPDX-License-Identifier: GPL-2.0-only
# The module starts, stays while it is needed, goes; and on a machine with
# five levels of tables it does not start.
#~ s/^\[ *[0-9.]+\] lguest/lguest/
cat >build/transcript.start <<'SCRIPT'
e() { echo "# $*"; eval "$*"; }
e insmod lg.ko
e 'dmesg | grep lguest: | tail -n 1'
echo '# lguest guests/spin &'
: >/tmp/spin
lguest guests/spin >/tmp/spin &
until grep -q . /tmp/spin; do sleep 0.2; done
cat /tmp/spin
e rmmod lg 2>&1
e 'kill $!; wait'
e rmmod lg
SCRIPT
cat >build/transcript.refused <<'SCRIPT'
e() { echo "# $*"; eval "$*"; }
dmesg -n 1
e insmod lg.ko 2>&1
e 'dmesg | grep lguest: | tail -n 1'
SCRIPT
set -e
ci/boot -- build/transcript.start
echo
ci/boot --cpu +la57 -- build/transcript.refused
