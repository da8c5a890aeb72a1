# SPDX-License-Identifier: GPL-2.0-only
"""The names that the tests know in the Switcher, in one place."""
WINDOW = 0xffff800000000000
SECTION = ".switcher"
ENTER = "switcher_enter"		# first instruction of the way in
IRET = "switcher_iret"			# the one that leaves for the Guest
LOOK_IRET = "switcher_look_iret"	# the one that ends the short way
RESTORE = "restore_host"		# where all ways out meet
TRAP = "trap_common"			# where all stubs without a stack of their own lead
IST = "switcher_ist_begin"		# from here a handler returns without IRET
IST_END = "switcher_ist_end"
BUG = "trap_in_switcher"		# a trap from ring 0
ABORTED = 0x101			# VECTOR_ABORTED: "the Guest did not run at all"
WITH_ERROR = 0x60227d00			# TRAPS_WITH_ERROR
