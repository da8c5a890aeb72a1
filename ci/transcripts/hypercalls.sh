# SPDX-License-Identifier: GPL-2.0-only
# Guests that say something wrong.
cat >build/transcript.hypercalls <<'SCRIPT'
insmod /lg/lg.ko || exit 1
e() { echo "# $*"; "$@" 2>&1 | sed -n '1,2p;/rax/p'; }
e lguest guests/lastwords
e lguest --arg 1 guests/liar
e lguest --arg 20 guests/liar
e lguest --arg 22 guests/liar
SCRIPT
ci/boot -- build/transcript.hypercalls
