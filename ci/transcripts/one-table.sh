# SPDX-License-Identifier: GPL-2.0-only
# What the Host counts while a program in a Linux does ten things to one page table.
#= s/ +[0-9]+/ N/g
kernel=$(ci/boot --which) || exit
work=$(mktemp -d) || exit
# shellcheck disable=SC2064 # this one
trap "rm -rf '$work'" EXIT
mkdir -p "$work/root/dev"
gcc -O2 -Wall -Wextra -static -s -o "$work/root/init" launcher/onetable.c || exit
(cd "$work/root" && find . | cpio --quiet -o -H newc -R 0:0) >"$work/initrd"
cat >build/transcript.one-table <<'SCRIPT'
insmod /lg/lg.ko || exit 1
lguest --no-reboot --memory 160 --initrd /lg/initrd --append "console=hvc0 quiet" \
	/lg/vmlinuz </dev/null 2>/dev/null | tr -d '\r' |
while read -r when name; do
	case $when in begin|end)
		echo "$when $name"
		cat /sys/kernel/debug/lguest/*/counters
	esac
done | awk '
BEGIN {
	n = split("trips fills unsyncs resyncs zaps drops", column)
	printf "%-10s", ""
	for (i = 1; i <= n; i++) printf "%9s", column[i]
	print ""
}
$1 == "begin" || $1 == "end" {
	if (name && ended) line()
	name = $2; ended = $1 == "end"
	next
}
{ if (ended) now[$1] = $2; else was[$1] = $2 }
END { line() }
function line() {
	printf "%-10s", name
	for (i = 1; i <= n; i++) printf "%9d", now[column[i]] - was[column[i]]
	print ""
}'
SCRIPT
ci/boot --cpu -smap --mem 768 --qemu "-icount shift=0,sleep=off" --add "$kernel:/lg/vmlinuz" \
	--add "$work/initrd:/lg/initrd" -- build/transcript.one-table
