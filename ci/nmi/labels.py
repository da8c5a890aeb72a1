# SPDX-License-Identifier: GPL-2.0-only
"""The names that the tests know in the Switcher, in one place."""
WINDOW = 0xffff800000000000
SECTION = ".switcher"
ENTER = "switcher_enter"		# first instruction of the way in
IRET = "switcher_iret"			# the one that leaves for the Guest
RESTORE = "restore_host"		# where all ways out meet
BUG = "trap_in_switcher"		# a trap from ring 0
