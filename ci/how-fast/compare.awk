# SPDX-License-Identifier: GPL-2.0-only
# awk -v columns="host guest" -f compare.awk RECORDED NEW: is each count what it was?
# A count repeats to about a hundredth; what has changed by more, better or worse, has changed.
BEGIN {
	n = split(columns, list)
	for (i = 1; i <= n; i++)
		asked[list[i]]
}
$1 != "count" || $3 != "row" || !($2 in asked) { next }
FNR == NR { was[$2, $4] = $5; next }
{ is[$2, $4] = $5 }
END {
	for (k in was) {
		split(k, at, SUBSEP)
		rows[at[1]]++
		if (!(k in is)) {
			print "WRONG: " at[1] ": " at[2] " was not measured"
			bad = 1
		} else if (is[k] > 1.04 * was[k] || is[k] < 0.96 * was[k]) {
			printf "WRONG: %s: %s is %.0f instructions, and was %.0f\n", at[1], at[2], is[k], was[k]
			bad = 1
		}
	}
	for (c in asked)
		if (rows[c] != 11) {
			print "WRONG: " c ": " rows[c] + 0 " rows are recorded"
			bad = 1
		}
	exit bad
}
