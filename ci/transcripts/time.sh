# SPDX-License-Identifier: GPL-2.0-only
# Three Guests with a clock.
#= s/year [0-9]{4}/year YYYY/
cat >build/transcript.time <<'SCRIPT'
insmod /lg/lg.ko || exit 1
for g in clock sleeper robin; do
	echo "# lguest guests/$g"
	lguest guests/$g
done
SCRIPT
timeout 200 ci/boot --cpus 2 -- build/transcript.time
