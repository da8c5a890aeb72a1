# SPDX-License-Identifier: GPL-2.0-only
# What is done about guesses, on four processors, followed by single instructions.
follow() { # TITLE [OPTION...]
	echo "# $1"
	shift
	python3 ci/follow/follow.py guesses "$@"
}
follow 'one of Intel, 2015' --pti on --cpu family=6,model=94,stepping=3
follow 'one of AMD, 2017' --pti off --cpu family=23,model=1,stepping=2
follow "the bench's own" --pti off
follow 'the first, mitigations=off' --pti on --cpu family=6,model=94,stepping=3 --append mitigations=off
