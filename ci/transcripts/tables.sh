# SPDX-License-Identifier: GPL-2.0-only
# A Guest's tables and their shadows, side by side.
. ci/transcripts/tables.lib
tables lgshow
