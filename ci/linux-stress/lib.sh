# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# A Linux that does the work of ci/linux-stress, or another one: . ci/linux-stress/lib.sh
# After ci/lib.sh.  KERNEL=FILE is another kernel than Debian's, without a swap in memory.
kernel=${KERNEL:-$(ci/boot --which)} || skip "no kernel of Debian's (cure: make setup)"
stress=$scratch/root/bin/stress
modules=$(dirname "$kernel")/modules
swap=() swap_libs=()	# what a swap in memory needs, if it is not part of the kernel
for module in lzo-rle zsmalloc zram; do
	[ -e "$modules/$module.ko" ] || continue
	swap+=("$modules/$module.ko")
	swap_libs+=(--lib "$module")
done

# stress_disk WORK: $scratch/initrd, whose first process runs that script and switches off
stress_disk() {
	local root=$scratch/root
	mkdir -p "$root"/{bin,lib/lg}
	gcc -O2 -Wall -Wextra -static -pthread -o "$stress" ci/linux-stress/stress.c || exit 1
	[ ${#swap[@]} = 0 ] || cp "${swap[@]}" "$root/lib/lg/" || exit 1
	cp "$1" "$root/work"
	cp ci/linux-stress/swap "$root/swap"
	cat >"$root/init" <<'EOF'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
sh /work 2>&1
poweroff -f
EOF
	chmod 755 "$root/init"
	sh tangle/disk.sh "$scratch/initrd" || exit 1
	(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >>"$scratch/initrd"
}
