# SPDX-License-Identifier: GPL-2.0-only
# The boot of a Linux, and what the Host has done for it from line to line.
#= s/^( *[0-9]+)+ /N /
#= s/6\.1\.0-[0-9]+/6.1.0-NN/g
#= s/[0-9]+K/NK/g
. ci/transcripts/linux.lib
cat >build/transcript.linux-boot <<'END'
insmod /lg/lg.ko || exit 1
cat >/tmp/watch.awk <<'AWK'
function now(   n, line, word) {
	while (("cat /sys/kernel/debug/lguest/*/counters 2>/dev/null" | getline line) > 0) {
		split(line, word, " ")
		n[word[1]] = word[2]
	}
	close("cat /sys/kernel/debug/lguest/*/counters 2>/dev/null")
	for (i in n) { since[i] = n[i] - last[i]; last[i] = n[i] }
}
BEGIN { print "direct  calls  traps  fills" }
{
	gsub(/\r/, "")
	sub(/^\[ *[0-9.]*\] /, "")
	if ($0 !~ /^mapping kernel|^Linux version|^Hypervisor|Fast TSC|^Memory: |2-level|console \[hvc0\] en|^installing|^Spectre V2|SMP alternatives|Switched to clock|initrd memory|^Write protecting|W\+X|^Run |^This is/ || seen[$0]++)
		next
	now()
	printf "%6d %6d %6d %6d  %.46s\n", since["direct"], since["hypercalls"], since["traps"], since["fills"], $0
}
AWK
echo exit >/tmp/typed
lguest --memory 192 --initrd /lg/initrd --append "earlycon=xenboot console=hvc0 nr_cpus=1" \
	/lg/vmlinuz </tmp/typed 2>/dev/null | awk -f /tmp/watch.awk
END
linux build/transcript.linux-boot
