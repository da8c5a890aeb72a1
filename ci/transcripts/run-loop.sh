# SPDX-License-Identifier: GPL-2.0-only
# A Guest that loops, the Host's ticks meanwhile, and Ctrl-C.
#= s/LOC: +[0-9]+/LOC: N/
cat >build/transcript.run-loop <<'SCRIPT'
insmod /lg/lg.ko || exit 1
e() { echo "# $*"; eval "$*"; }
e 'grep -o "LOC: *[0-9]*" /proc/interrupts'
e 'timeout -s INT 10 lguest guests/spin 2>&1; echo $?'
e 'grep -o "LOC: *[0-9]*" /proc/interrupts'
SCRIPT
ci/boot -- build/transcript.run-loop
