# SPDX-License-Identifier: GPL-2.0-only
# SYSENTER, and from 32-bit code SYSCALL, SYSENTER and INT 0x80, on processors
# of both makers.
cat >build/transcript.doors <<'END'
insmod /lg/lg.ko || exit 1
for n in 0 1 2 3; do
	echo "# lguest --arg $n guests/doors"
	lguest --arg $n guests/doors 2>&1 | head -n 1
done
END
echo '$ ci/boot --pti off -- doors     # a processor like those of AMD'
ci/boot --pti off -- build/transcript.doors
echo '$ ci/boot --pti on -- doors      # and one like those of Intel'
ci/boot --pti on -- build/transcript.doors
