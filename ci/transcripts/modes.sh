# SPDX-License-Identifier: GPL-2.0-only
# A Guest with a kernel and a program.
cat >build/transcript.modes <<'SCRIPT'
insmod /lg/lg.ko || exit 1
echo '# lguest guests/modes'
lguest guests/modes 2>&1 | sed -n '1,3p'
SCRIPT
timeout 200 ci/boot -- build/transcript.modes
