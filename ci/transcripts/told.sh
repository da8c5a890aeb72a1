# SPDX-License-Identifier: GPL-2.0-only
# A Guest whose kernel is told of its program's traps.
cat >build/transcript.told <<'SCRIPT'
insmod /lg/lg.ko || exit 1
echo '# lguest guests/told; echo $?'
lguest guests/told 2>&1
echo $?
SCRIPT
timeout 200 ci/boot -- build/transcript.told
