# SPDX-License-Identifier: GPL-2.0-only
# The small system, typed at by a file.
#= s/^\[[0-9]\] was interrupted .*/[N] was interrupted T/
#= s/(interruptions:) [0-9]+/\1 T/
#= s/^[0-9]+ frames/N frames/
cat >build/transcript.shell <<'END'
insmod /lg/lg.ko || exit 1
echo '# lguest guests/shell <session'
lguest guests/shell </session || exit 1
END
timeout 200 ci/boot --add launcher/guests/shell.txt:/session -- build/transcript.shell
