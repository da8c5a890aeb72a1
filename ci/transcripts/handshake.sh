# SPDX-License-Identifier: GPL-2.0-only
# The first words of the agreement, said by hand.
cat >build/transcript.handshake <<'END'
insmod /lg/lg.ko || exit 1
show() { echo "# $*"; eval "$*" 2>&1; }
show "printf '\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0' > edition-1"
show "printf '\1\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0' > edition-7"
show "dd if=edition-7 of=/dev/lguest bs=16 status=none && echo accepted"
show "dd if=edition-1 of=/dev/lguest bs=16 status=none"
show "dd if=edition-7 of=/dev/lguest bs=15 status=none"
show "dd if=edition-7 of=/dev/lguest bs=16 seek=1 status=none"
show "dd if=/dev/lguest bs=4096 count=1 status=none"
true
END
ci/boot -- build/transcript.handshake
