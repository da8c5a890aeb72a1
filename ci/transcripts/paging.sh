# SPDX-License-Identifier: GPL-2.0-only
# The first Guest with tables of its own.
cat >build/transcript.paging <<'END'
insmod /lg/lg.ko || exit 1
echo '# lguest guests/paging'
lguest guests/paging || exit 1
END
timeout 600 ci/boot -- build/transcript.paging
