# SPDX-License-Identifier: GPL-2.0-only
# A trace of all six events: each line whole, each sort seen, entries and exits in pairs.
function wrong(what) { if (bad++ < 10) print "WRONG: " what ": " $0 }
BEGIN {
	who = "[0-9]+-[0-9]+/0 "; hex = "(0x[0-9a-f]+|0)"
	form["entry"] = who "(user|kernel) at " hex
	form["exit"] = who "at " hex ": ([a-zA-Z][a-zA-Z0-9 ]+) \\([0-9]+\\)"
	form["fault"] = who hex " error " hex ": (filled|the Guest's own|a device|the Host was late|no table)"
	form["hypercall"] = who "([A-Z_]+|0x[0-9a-f]+)( in the ring)? " hex " " hex
	form["event"] = who "[a-zA-Z][a-zA-Z0-9 ]+ \\([0-9]+\\) (delivered|refused)"
	form["kick"] = who "line [0-9]+(, halted)?"
	# what these Guests do, so what must have been seen
	must["entry: .* kernel at 0x"]; must["entry: .* user at 0x"]
	must["exit: .*: syscall \\(256\\)"]; must["exit: .*: page fault \\(14\\)"]; must["exit: .*: interrupt \\("]
	must["fault: .*: filled"]; must["fault: .*: the Guest's own"]; must["fault: .* a device"]
	must["hypercall: .* CONSOLE 0x"]; must["hypercall: .* HALT "]; must["hypercall: .* TIMER 0xbebc200 "]
	must["hypercall: .* SET_PTE in the ring 0x"]; must["hypercall: .* RESUME "]
	must["event: .* \\(32\\) delivered"]; must["event: .* page fault \\(14\\) delivered"]; must["event: .* page fault \\(14\\) refused"]
	must["kick: .* line 0, halted"]
}
/^#.*entries-in-buffer/ { if ($3 + 0 == 0) wrong("nothing"); split($3, n, "/"); if (n[1] != n[2]) wrong("some are lost") }
!/: lguest_/ { next }
{
	lines++
	line = $0; sub(/.*: lguest_/, "", line)
	kind = line; sub(/:.*/, "", kind); sub(/^[a-z]+: /, "", line)
	count[kind]++
	if (!(kind in form) || line !~ "^" form[kind] "$") wrong("a line")
	split(line, word, " "); split(word[1], guest, "-")
	thread = $1; sub(/.*-/, "", thread)
	if (kind != "kick" && thread != guest[1]) wrong("whose?")
	if (kind == "entry" && inside[word[1]]++) wrong("in twice")
	if (kind == "exit" && --inside[word[1]]) wrong("out twice")
	if ((kind == "fault" || kind == "hypercall" || kind == "event") && inside[word[1]]) wrong("in the Guest")
	for (m in must) if (kind ": " line ~ "^" m) delete must[m]
}
END {
	for (k in form) if (!count[k]) { print "WRONG: no lguest_" k; bad++ }
	for (m in must) { print "WRONG: never seen: " m; bad++ }
	for (k in form) all = all " " k ":" count[k]
	print lines + 0 " lines, " bad + 0 " wrong;" all
	exit bad != 0
}
