# SPDX-License-Identifier: GPL-2.0-only
# The end of the long test; its log is taken if it is of this very module.
#= s/[0-9]+/N/g
#= /^N s$/d
log=build/check/nmi-everywhere.log
[ -e "$log" ] && [ "$log" -nt kmod/lg.ko ] || {
	mkdir -p build/check
	ci/checks/nmi-everywhere >"$log" 2>&1
}
echo '$ make check T=nmi-everywhere'
tail -n 9 "$log"
