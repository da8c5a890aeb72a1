#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Builds the test module, the test Launcher and its Guest.
# usage: build.sh OUT UAPI-DIR [KVER]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd) uapi=$(cd "$2" && pwd)
kver=${3:-$(for d in /usr/src/linux-headers-6.1.0-*-amd64; do echo "${d#*headers-}"; done |
	grep -E '^6\.1\.0-[0-9]+-amd64$' | sort -V | tail -n 1)}
exec 9>"$out/lock"
flock 9
gcc -c -Wa,--noexecstack -o "$out/guest.o" "$here/guest.S"
ld -N --no-warn-rwx-segments -T "$here/guest.ld" -o "$out/guest" "$out/guest.o"
objcopy -O binary "$out/guest" "$out/guest.bin"
begin=0x$(nm "$out/guest" | sed -n 's/ T begin$//p')
gcc -O2 -Wall -Wextra -static -no-pie -Wl,-Ttext-segment=0x20000000 -I"$uapi" -I"$here" -I"$out" \
	-Wa,-I"$out" -Wa,--noexecstack -o "$out/ride" "$here/ride.c" "$here/guest_blob.S" \
	-Wl,--defsym=guest_begin_value="$begin"
mkdir -p "$out/module-$kver"
for f in nmitest.c Kbuild; do
	cmp -s "$here/$f" "$out/module-$kver/$f" || cp "$here/$f" "$out/module-$kver/$f"
done
make -s -C "${KDIR:-/usr/src/linux-headers-$kver}" M="$out/module-$kver" modules 2>&1 | { grep -v BTF || true; }
cp "$out/module-$kver/nmitest.ko" "$out/nmitest.ko"
