# SPDX-License-Identifier: GPL-2.0-only
# Run each row of the table and compare its end; see rows.
function norm(hex) { sub(/^0x0*/, "", hex); return hex == "" ? "0" : hex }
BEGIN {
	FS = "\t"
	while (("grep -E ' (_text|entry_SYSCALL_64|init_task|idt_table|sys_call_table|asm_exc_nmi)$' /proc/kallsyms" | getline line) > 0) {
		split(line, word, " ")
		if (!(word[3] in symbol)) symbol[word[3]] = "0x" word[1]
	}
}
function resolve(text,   name) {
	if (text !~ /@/) return text
	name = text; sub(/.*@/, "", name)
	if (!(name in symbol)) return "?"
	sub(/@.*/, symbol[name], text)
	return text
}
{
	arg = resolve($2); touched = resolve($5); registers = resolve($7)
	if (arg == "?") { unknown++; next }
	options = $3 == "-" ? "" : $3; sub(/_/, " ", options)
	command = "timeout 120 /lg/lguest " options " --arg " arg " /lg/guests/" $1 " 2>&1; echo status $?"
	status = vector = error = cr2 = ""; bytes = ""; why = ""; all = ""
	split("", register)
	while ((command | getline line) > 0) {
		all = all "\n    " line
		n = split(line, word, " ")
		if (line ~ /^status/) status = word[2]
		else if (line ~ /^lguest: the Guest died: /) { why = line; sub(/^lguest: the Guest died: /, "", why) }
		else if (line ~ /^lguest: the Guest (reads|writes to) /) { why = line; sub(/^lguest: /, "", why) }
		else if (line ~ /^  exception/) {
			vector = word[2]
			error = line; sub(/.*error code /, "", error); sub(/ .*/, "", error)
			if (line ~ /touched/) cr2 = word[n]
		} else if (line ~ /^  at 0x/) {
			bytes = line; sub(/^  at [^:]*: /, "", bytes); gsub(/ /, "", bytes)
		} else if (line ~ /^ +[a-z_0-9]+ [0-9a-f]+/)
			for (i = 1; i < n; i += 2) register[word[i]] = word[i + 1]
	}
	close(command)
	end = status (vector == "" ? "" : ":" vector ":" error)
	wrong = ""
	m = split($4, verdict, "/"); ok = 0
	for (i = 1; i <= m; i++) if (verdict[i] == end) ok = 1
	if (!ok) wrong = "ended " end ", must be " $4
	else if (touched != "-" && norm(touched) != norm(cr2)) wrong = "touched " cr2 ", must be " touched
	else if ((status == 5 || status == 6) && $6 == "none" && bytes !~ /^nobytes/) wrong = "bytes " bytes ", must be none"
	else if ((status == 5 || status == 6) && $6 != "-" && $6 != "none" && index(bytes, $6) != 1) wrong = "bytes " bytes ", must be " $6
	else if ((status == 5 || status == 6) && $8 != "-" && why !~ $8) wrong = "reason " why ", must be " $8
	else if ((status == 5 || status == 6) && registers != "-") {
		split(registers, word, "=")
		if (norm("0x" register[word[1]]) != norm(word[2]))
			wrong = word[1] " is " register[word[1]] ", must be " word[2]
	}
	runs++; count[$1]++
	if (wrong != "") { bad++; print "WRONG: " $1 " --arg " arg " " options ": " wrong; if (bad < 6) print all }
}
END {
	line = ""
	for (name in count) line = line " " name ":" count[name]
	print runs + 0 " runs, " bad + 0 " wrong" (unknown ? ", " unknown " skipped: no such symbol here" : "") ";" line
	exit bad || !runs
}
