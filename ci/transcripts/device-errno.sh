# SPDX-License-Identifier: GPL-2.0-only
# Every mistake with the device; ci/checks/device-errno is the check.
#= s/^[0-9]+ tries/N tries/
gcc -O2 -static -pthread -o build/transcript.errno ci/device/errno.c || exit 1
cat >build/transcript.device <<'SCRIPT'
insmod /lg/lg.ko || exit 1
echo '# errno'
/device/errno
SCRIPT
ci/boot --add build/transcript.errno:/device/errno -- build/transcript.device
