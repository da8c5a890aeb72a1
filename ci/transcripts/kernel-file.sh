# SPDX-License-Identifier: GPL-2.0-only
# What is in two of Debian's kernels, and what two files lack that are none.
#= s/0x[0-9a-f]+/N/g
#= s/ +[0-9]+ bytes/ N bytes/
unset BENCH_DEBUG
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
top=$PWD
for flavour in amd64 cloud-amd64; do
	ln -s "$(ci/boot --flavour $flavour --which)" "$work/vmlinuz-$flavour" || exit 1
done
ln -s "$top/launcher/guests/hello" "$work/hello"
cd "$work" || exit 1
e() { # show it and its status
	echo "\$ $*"
	PATH=$top/launcher:$PATH bash -o pipefail -c "$*" 2>&1
	rc=$?
	[ $rc -eq 0 ] || printf "$ echo \$?\n%d\n" $rc
}
e "lguest --describe vmlinuz-amd64"
e "lguest --describe vmlinuz-cloud-amd64 | head -n 3"
e "lguest --describe hello >/dev/null"
e "head -c 8000000 vmlinuz-amd64 >short"
e "lguest --describe short"
true
