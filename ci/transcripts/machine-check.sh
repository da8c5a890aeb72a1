# SPDX-License-Identifier: GPL-2.0-only
# A Guest reads broken memory: its Launcher gets a signal, and nobody else.
#~ s/^\[ *[0-9.]+\] //
#= s/(at|page) [0-9a-f]+/\1 N/; s/0x[0-9a-f]+/N/; s/lguest:[0-9]+/lguest:N/
#= s/[0-9a-f]{16}/ADDRESS/; s/so far: [0-9]+/so far: N/
exec bash ci/follow/machine-check
