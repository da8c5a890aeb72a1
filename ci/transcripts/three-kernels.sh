# SPDX-License-Identifier: GPL-2.0-only
# The first Guest on three kernels.
#= s/[0-9a-f]{16}/ADDRESS/
#= s/so far: [0-9]+/so far: N/
#= s/6\.1\.0-[0-9]+/6.1.0-NN/
make -s modules launcher >&2 || exit 1
cat >build/transcript.three <<'SCRIPT'
insmod /lg/lg.ko || exit 1
uname -rv | sed 's/#1 //; s/ Debian.*//'
lguest guests/hello && rmmod lg
SCRIPT
for flavour in amd64 cloud-amd64 rt-amd64; do
	echo "\$ ci/boot --flavour $flavour -- script"
	ci/boot --flavour $flavour -- build/transcript.three || exit
done
