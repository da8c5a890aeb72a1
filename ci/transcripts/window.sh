# SPDX-License-Identifier: GPL-2.0-only
# A Guest feels for the pages of the window.
#= s/   cr3.*//
cat >build/transcript.window <<'SCRIPT'
insmod /lg/lg.ko || exit 1
feel() { # WHAT ADDRESS...
	echo "# $1"
	shift
	for a; do lguest --arg $a guests/peek 2>&1 | grep exception; done
}
feel 'the text, and behind it' 0xffff800000000000 0xffff800000001000
feel 'the IDT and the page of CPU 0, and those of a CPU that is not there' \
	0xffff800000200000 0xffff800000201000 0xffff800000202000 0xffff800000203000
feel 'the page of vCPU 0, and of a vCPU that is not there' \
	0xffff800040000000 0xffff800040001000
SCRIPT
ci/boot -- build/transcript.window
