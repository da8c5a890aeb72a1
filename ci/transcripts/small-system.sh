# SPDX-License-Identifier: GPL-2.0-only
# The fifth and the sixth step of the small system; of two programs that are
# interrupted nobody knows which comes first.
#= s/^\[[12]\] was interrupted .*/[N] was interrupted T/
cat >build/transcript.small-system <<'END'
insmod /lg/lg.ko || exit 1
for g in small5 small6; do
	echo "# lguest guests/$g"
	lguest guests/$g || exit 1
done
END
timeout 200 ci/boot -- build/transcript.small-system
