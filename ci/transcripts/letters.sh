# SPDX-License-Identifier: GPL-2.0-only
# A Guest that asks for its bases, on a processor without the instructions for them.
cat >build/transcript.letters <<'SCRIPT'
insmod /lg/lg.ko || exit 1
echo '# grep -c fsgsbase /proc/cpuinfo; lguest guests/letters'
grep -c fsgsbase /proc/cpuinfo
lguest guests/letters
SCRIPT
ci/boot --cpus 1 --cpu -fsgsbase -- build/transcript.letters
