# SPDX-License-Identifier: GPL-2.0-only
# Some defences removed, and their attacks.
ci/checks/attack-mutants --once --only marks-blind --only direct-reused --only c-no-db-clean --only write-unasked
#= s/[0-9]+ was counted, [0-9]+ is there/N was counted, N is there/
