# SPDX-License-Identifier: GPL-2.0-only
# A Guest that has three breakpoints.
cat >build/transcript.tripwire <<'SCRIPT'
insmod /lg/lg.ko || exit 1
echo '# lguest guests/tripwire'
lguest guests/tripwire
SCRIPT
ci/boot --cpus 1 -- build/transcript.tripwire
