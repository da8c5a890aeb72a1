# SPDX-License-Identifier: GPL-2.0-only
# A Guest's tables and their shadows, side by side.
#= s/^  (trips|interrupts) .*/  \1 N/
. ci/transcripts/tables.lib
tables lgshow
