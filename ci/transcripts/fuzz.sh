# SPDX-License-Identifier: GPL-2.0-only
# A few rounds of the fuzzers; how far each gets is the timer's doing, too.
#= s/[0-9]+/N/g
cat >build/transcript.fuzz <<'SCRIPT'
insmod /lg/lg.ko || exit 1
echo '# lgfuzz 1990 40 2'
cd /lg && ./lgfuzz 1990 40 2 2>&1
SCRIPT
# without AVX: see ci/checks/fuzz
timeout 300 ci/boot --cpu -avx --timeout 280 --cpus 2 --add launcher/lgfuzz:/lg/lgfuzz -- build/transcript.fuzz
