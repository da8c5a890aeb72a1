# SPDX-License-Identifier: GPL-2.0-only
# A thousand system calls by each of the two ways, counted in instructions.
# The instructions of the Host differ a little from run to run.
#= s/[0-9]+/N/g
#= s/ +/ /g
cat >build/transcript.short <<'SCRIPT'
insmod /lg/lg.ko || exit 1
for direct in N Y; do
	echo "# echo $direct >/sys/module/lg/parameters/direct; lguest guests/calls"
	echo $direct >/sys/module/lg/parameters/direct
	lguest guests/calls
done
SCRIPT
timeout 200 ci/boot --cpus 1 --qemu "-icount shift=0" -- build/transcript.short
