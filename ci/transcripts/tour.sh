# SPDX-License-Identifier: GPL-2.0-only
# The first stops of a part of the tour, and a part that is not there yet.
#= s/^[A-Z]:[0-9]+ .*/a stop/
echo '$ make Switcher | grep ^S: | head -8'
make -s Switcher | grep ^S: | head -8
echo '$ make Drivers'
make -s Drivers | fold -s -w 84
