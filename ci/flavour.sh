# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# For checks that one of Debian's kernels cannot serve: . ci/flavour.sh
# Before ci/probe/lib.sh, which looks at BENCH_FLAVOUR.

# not_on FLAVOUR WHY: if that is today's kernel, say so and take amd64
not_on() {
	[ "${BENCH_FLAVOUR:-}" = "$1" ] || return 0
	echo "today's kernel is $1, $2: amd64 instead"
	export BENCH_FLAVOUR=amd64
}
