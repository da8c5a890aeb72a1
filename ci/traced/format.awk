# SPDX-License-Identifier: GPL-2.0-only
# The description of one event, as perf and trace-cmd read it.
function wrong(what) { print "WRONG: " FILENAME ": " what; bad = 1 }
/^name: / { name = $2 }
/^ID: [0-9]+$/ { id = $2 }
/^\tfield:/ {
	fields++
	if ($0 !~ /^\tfield:[a-z_0-9 ]+;\toffset:[0-9]+;\tsize:[1248];\tsigned:[01];$/) wrong("a field: " $0)
	if ($0 ~ /\*/) wrong("an address: " $0)
	match($0, /offset:[0-9]+/); at = substr($0, RSTART + 7, RLENGTH - 7) + 0
	match($0, /size:[0-9]+/); size = substr($0, RSTART + 5, RLENGTH - 5) + 0
	if (at < end) wrong("fields that overlap: " $0)
	end = at + size
	field = $0; sub(/;.*/, "", field); sub(/.* /, "", field); has[field] = 1
}
/^print fmt: / {
	printed = $0
	if ($0 ~ /LHCALL_|FOUND_|X86_TRAP|VECTOR_/) wrong("a name instead of a number: " $0)
	if ($0 ~ /\? *__print_symbolic/) wrong("perf prints nothing there: " $0)
	if ($0 ~ /%p|%s.*%s.*%s.*%s/) wrong("what does it print? " $0)
	rest = $0
	while (match(rest, /REC->[a-z0-9_]+/)) {
		if (!(substr(rest, RSTART + 5, RLENGTH - 5) in has)) wrong("prints a field that it has not")
		rest = substr(rest, RSTART + RLENGTH)
	}
	if (gsub(/\(/, "(", printed) != gsub(/\)/, ")", printed)) wrong("parentheses: " $0)
}
END {
	if (name !~ /^lguest_/ || id == "" || !printed || fields < 9) wrong("not whole")
	if (!has["pid"] || !has["guest"] || !has["vcpu"]) wrong("whose is it?")
	exit bad
}
