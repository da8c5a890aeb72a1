# SPDX-License-Identifier: GPL-2.0-only
# The first Guest, on the bench.
#= s/[0-9a-f]{16}/ADDRESS/
#= s/so far: [0-9]+/so far: N/
cat >build/transcript.hello <<'END'
insmod /lg/lg.ko || exit 1
echo '# lguest guests/hello'
lguest guests/hello || exit 1
echo '# echo $?'
echo $?
END
ci/boot -- build/transcript.hello
