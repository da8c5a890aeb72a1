# SPDX-License-Identifier: GPL-2.0-only
# The same as a figure: figures/tables.tex takes it in.
. ci/transcripts/tables.lib
tables 'lgshow --tikz' | grep '^.node\|^.draw'
