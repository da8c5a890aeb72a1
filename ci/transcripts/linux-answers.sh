# SPDX-License-Identifier: GPL-2.0-only
# What a kernel says of the answers that it gets from the ROM.
#= s/0x[0-9a-f]+/0xN/g
. ci/transcripts/linux.lib
cat >build/transcript.linux-answers <<'END'
insmod /lg/lg.ko || exit 1
echo "# lguest vmlinuz | grep ..."
lguest --no-reboot --memory 160 --append "console=hvc0 panic=-1 nr_cpus=1" \
	/lg/vmlinuz </dev/null 2>/dev/null | tr -d '\r' | sed 's/^\[ *[0-9.]*\] //' |
	grep -E 'Hypervisor detected|Xen: |Booting kernel|Xen version|2-level|VPMU|W\+X|installing|\[hvc0\]|System does not support PCI|not syncing: VFS' |
	awk '!seen[$0]++' | cut -c 1-76
END
linux build/transcript.linux-answers
