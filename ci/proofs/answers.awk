# SPDX-License-Identifier: GPL-2.0-only
# What z3 says to formulas.py, a line for each promise: its name, `unsat` if
# there are no numbers that break it, or `sat` and the numbers.
function tell() {
	if (name != "")
		print name, said, numbers
	name = said = numbers = ""
}
/^[a-z_]+__[a-z_0-9]+$/ { tell(); name = $1; next }
/^[a-z]+$/ { said = $1; next }
said == "sat" {
	while (match($0, /#x[0-9a-f]+/)) {
		numbers = numbers (numbers == "" ? "" : ",") \
			"0" substr($0, RSTART + 1, RLENGTH - 1) "ull"
		$0 = substr($0, RSTART + RLENGTH)
	}
}
END { tell() }
