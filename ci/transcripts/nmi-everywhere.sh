# SPDX-License-Identifier: GPL-2.0-only
# What the long test says; its log is taken if it is of this very module.
#= s/[0-9]+/N/g
#= s/ +/ /g
log=build/check/nmi-everywhere.log
mkdir -p build/check
exec 9>build/check/.nmi		# ci/check holds it while it writes the log
flock 9
[ "$log" -nt kmod/lg.ko ] && grep -q '^nmi-everywhere:' "$log" || {
	ci/checks/nmi-everywhere >"$log" 2>&1
}
echo '$ make check T=nmi-everywhere'
grep -E "^(the way in  |hypercall|divide|syscall32|NMI in ring 3|NMI on the way out|#MC inside the NMI)" "$log"
echo ...
grep -E "NMIs sent|^nmi-everywhere:" "$log"
