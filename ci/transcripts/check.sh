# SPDX-License-Identifier: GPL-2.0-only
# Two of the checks, and what one of them has counted.
#= s/^today.*/today/
#= s/ +[0-9]+ s / N s /
#= s/^[0-9]+ answers/N answers/
#= s/^[0-9]+ wrong/N wrong/
set -e -o pipefail
echo '$ make check T="makefile-is-printed units"'
make -s check T="makefile-is-printed units" | sed 's/   the Host.s small .*//; s/   the committed.*//'
echo '$ tail -n 2 build/check/units.log'
tail -n 2 build/check/units.log
