# SPDX-License-Identifier: GPL-2.0-only
# A Guest that describes segments of its own, twice.
cat >build/transcript.segment <<'SCRIPT'
insmod /lg/lg.ko || exit 1
echo '# lguest guests/segment && lguest guests/segment'
lguest guests/segment && lguest guests/segment
SCRIPT
ci/boot --cpus 1 -- build/transcript.segment
