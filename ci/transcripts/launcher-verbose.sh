# SPDX-License-Identifier: GPL-2.0-only
# What the Launcher says of a kernel if it is asked, on a machine without the module.
#= s/0x[0-9a-f]+/N/g
[ -e /dev/lguest ] && exit 1
kernel=$(ci/boot --which) || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$kernel" "$work/vmlinuz"
sh tangle/disk.sh "$work/initrd"
lguest=$PWD/launcher/lguest
cd "$work" || exit 1
echo '$ lguest --verbose --initrd initrd vmlinuz'
"$lguest" --verbose --initrd initrd vmlinuz 2>&1
rc=$?; printf '$ echo $?\n%d\n' $rc
