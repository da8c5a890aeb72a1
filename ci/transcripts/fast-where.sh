# SPDX-License-Identifier: GPL-2.0-only
# From the recorded run of make bench; the check how-fast compares that with a new one.
awk -v what=where -f tangle/bench.awk ci/how-fast/recorded
