# SPDX-License-Identifier: GPL-2.0-only
# What the Launcher says about a kernel that cannot begin.
#= s/[0-9]+ MiB/N MiB/g
#= s/[0-9]+M/NM/g
kernel=$(ci/boot --which) || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$kernel" "$work/vmlinuz"
head -c 4000000 "$kernel" >"$work/torn"
sh tangle/disk.sh "$work/initrd"
lguest=$PWD/launcher/lguest
cd "$work" || exit 1
e() { # show it and its status
	echo "\$ lguest $*"
	"$lguest" "$@" 2>&1
	rc=$?; printf "$ echo \$?\n%d\n" $rc
}
e --memory 64 vmlinuz
e --memory 80 --initrd initrd vmlinuz
e --initrd intird vmlinuz
e torn
true
