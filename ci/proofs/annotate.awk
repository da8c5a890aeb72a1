# SPDX-License-Identifier: GPL-2.0-only
# usage: awk -f annotate.awk CONTRACTS HEADER: the header with its contracts.
FNR == NR && /^#/ { next }
FNR == NR && /^[a-z0-9_]+( for)?:$/ { name = substr($0, 1, length($0) - 1); next }
FNR == NR { contract[name] = contract[name] $0 "\n"; next }
/^static inline / && match($0, /[a-z0-9_]+\(/) {
	name = substr($0, RSTART, RLENGTH - 1)
	if (name in contract)
		printf "/*@%s*/\n", contract[name]
	else
		printf "%s: no contract for %s\n", FILENAME, name > "/dev/stderr"
}
/^\tfor \(/ && (name " for") in contract {
	printf "/*@%s*/\n", contract[name " for"]
}
{ print }
