# SPDX-License-Identifier: GPL-2.0-only
# What the compiler makes of two tracepoints: the instructions around the trip.
#= s,^(\t(mov|jne|test|call +[*])).*,\1,
echo '# objdump -dr kmod/lg.ko'
objdump -dr --no-show-raw-insn kmod/lg.ko |
	sed -E 's/^ +[0-9a-f]+:\t/\t/; s/ +#.*//; s/^\t\t\t[0-9a-f]+: R_X86_64_[A-Z0-9]+\t([a-z_]+)[-+].*/to \1/' |
	awk '/^\tcall +\*/ { call = "\tcall   *"; next }
		/^\tcall/ { call = "\tcall   "; next }
		/^to / { if (!call) next; $0 = call $2; call = "" }
		/tell_time$/ && !done { on = 1 }
		on { print }
		/lguest_arch_handle_trap$/ { if (on) done = 1; on = 0 }'
