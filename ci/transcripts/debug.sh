# SPDX-License-Identifier: GPL-2.0-only
# What make debug shows before it hands over the keyboard.
#~ /^warning:|^determining|^add symbol|_addr = |^$|^0x0*fff0|^The target arch/d
#~ s/\t/    /g
#~ s/^(---.*---)$/\n\1/
#= s/\.nw:[0-9]+/.nw:N/
#= s/^[0-9]+ /N /
#= s/^(r..|cr3) +.*/\1/
#= s/0x[0-9a-f]{16}/ADDRESS/g
set -eo pipefail
echo '$ make debug'
timeout 1500 bash tangle/debug.sh 2>&1 | sed '/^\[Inferior/d'
