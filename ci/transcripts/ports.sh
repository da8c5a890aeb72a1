# SPDX-License-Identifier: GPL-2.0-only
# A Guest that looks for devices, and one that would move a block.
cat >build/transcript.ports <<'SCRIPT'
insmod /lg/lg.ko || exit 1
echo '# lguest guests/ports; echo $?'
lguest guests/ports 2>&1
echo $?
echo '# lguest --arg 10 guests/privileged; echo $?'
lguest --arg 10 guests/privileged 2>/tmp/err; rc=$?
head -n 2 /tmp/err
echo $rc
SCRIPT
timeout 200 ci/boot -- build/transcript.ports
