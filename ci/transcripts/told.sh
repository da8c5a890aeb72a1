# SPDX-License-Identifier: GPL-2.0-only
# A Guest whose kernel is told of its program's traps, and one that says nonsense.
cat >build/transcript.told <<'SCRIPT'
insmod /lg/lg.ko || exit 1
echo '# lguest guests/told; echo $?'
lguest guests/told 2>&1
echo $?
for n in 2 10 14; do
	echo "# lguest --arg $n guests/nonsense"
	lguest --arg $n guests/nonsense 2>&1 | sed -n 1p
done
SCRIPT
timeout 200 ci/boot -- build/transcript.told
