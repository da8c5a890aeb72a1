# SPDX-License-Identifier: GPL-2.0-only
# The first words of a kernel that was made for somebody else.
#= s/6\.1\.0-[0-9]+/6.1.0-NN/g
. ci/transcripts/linux.lib
cat >build/transcript.linux-hello <<'END'
insmod /lg/lg.ko || exit 1
echo "# lguest --append earlycon=xenboot vmlinuz | head"
lguest --no-reboot --memory 160 --append "earlycon=xenboot panic=-1 nr_cpus=1" \
	/lg/vmlinuz </dev/null 2>/dev/null | head -n 6 | sed "s/^\[ *[0-9.]*\] //" | cut -c 1-72
END
linux build/transcript.linux-hello
