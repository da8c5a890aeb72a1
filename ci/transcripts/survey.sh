# SPDX-License-Identifier: GPL-2.0-only
# What a Guest can see of the descriptor table, with and without an LDT of the Launcher.
cat >build/transcript.survey <<'END'
insmod /lg/lg.ko || exit 1
echo '# lguest guests/survey'
lguest guests/survey
echo '# lguest --ldt guests/survey'
lguest --ldt guests/survey
END
ci/boot -- build/transcript.survey
