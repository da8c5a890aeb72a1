# SPDX-License-Identifier: GPL-2.0-only
# The first four steps of the small system.
#= s/0x[0-9a-f]{4,5}\b/ADDRESS/
cat >build/transcript.small-kernel <<'END'
insmod /lg/lg.ko || exit 1
for g in small1 small2 small3 small4; do
	echo "# lguest guests/$g"
	lguest guests/$g || exit 1
done
END
timeout 200 ci/boot -- build/transcript.small-kernel
