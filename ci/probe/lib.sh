# SPDX-License-Identifier: GPL-2.0-only
# For checks that need a module of the Host, the witness, and small programs.
# Sourced from the top folder.  LGUEST_SRC names another tree than build/src
# (with kmod and switcher in it): that is how broken copies are tried.
# shellcheck shell=bash
flavour=${BENCH_FLAVOUR:-amd64}
if [ -z "${KVER:-}" ]; then
	KVER=$(ls -d /usr/src/linux-headers-6.1.0-*-"$flavour" 2>/dev/null |
		sed 's|.*linux-headers-||' |
		grep -E "^6\.1\.0-[0-9]+-$flavour\$" | sort -V | tail -n 1)
fi
[ -n "$KVER" ] || { echo "no headers of flavour $flavour (cure: make setup)"; exit 77; }
export KVER
probe=$(pwd)/build/probe/$KVER
mkdir -p "$probe"
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT

kbuild() { # FOLDER [VARIABLE=VALUE...]
	local dir=$1
	shift
	nice make -s -C "${KDIR:-/usr/src/linux-headers-$KVER}" M="$dir" \
		KCFLAGS=-gdwarf-4 KAFLAGS=-gdwarf-4 CONFIG_DEBUG_INFO_BTF_MODULES= \
		"$@" modules >"$dir/kbuild.log" 2>&1 || {
		tail -n 20 "$dir/kbuild.log"; echo "cannot build $dir"; exit 1; }
}

build_module() { # [LG_TEST=y]: sets $module
	local test=${1:+-test}
	if [ -z "${LGUEST_SRC:-}" ]; then
		module=build/host/$KVER$test/kmod/lg.ko
		# the file, not "module": kmod/lg.ko stays that of the default kernel
		make -s "$module" KVER="$KVER" ${1:+"$1"} >"$tmp/make.log" 2>&1 || {
			tail -n 20 "$tmp/make.log"; exit 1; }
		return
	fi
	local dir=$probe/other$test
	exec 8>"$probe/other.lock"
	flock 8
	mkdir -p "$dir/kmod" "$dir/switcher"
	local f
	for f in $(cd "$LGUEST_SRC" && ls kmod/Makefile kmod/*.[chS] switcher/*.[hS]); do
		case $f in kmod/offsets.h|kmod/*.mod.c) continue ;; esac
		cmp -s "$LGUEST_SRC/$f" "$dir/$f" || cp "$LGUEST_SRC/$f" "$dir/$f"
	done
	kbuild "$dir/kmod" ${1:+"$1"}
	cp "$dir/kmod/lg.ko" "$tmp/lg.ko"
	exec 8>&-
	module=$tmp/lg.ko
}

build_probe() { # sets $lgprobe
	exec 8>"$probe/lock"
	flock 8
	mkdir -p "$probe/kmod"
	cp -u ci/probe/kmod/* "$probe/kmod/"
	kbuild "$probe/kmod"
	exec 8>&-
	lgprobe=$probe/kmod/lgprobe.ko
}

program() { # SOURCE... : a static program without libc's surprises, sets $prog
	prog=$tmp/$(basename "$1" .c)
	gcc -D_GNU_SOURCE -O2 -g -Wall -Wextra -static -no-pie -pthread -I"${LGUEST_SRC:-build/src}/kmod" \
		-Ici/probe -o "$prog" "$@"
}

# What a script in the Host says before it ends: is its log clean?
cat >"$tmp/clean.sh" <<'END'
clean_log() {
	if dmesg | grep -v 'leak detector initialized' | grep -E 'WARNING|BUG|Oops|RIP:|Call Trace|trap .* in the Switcher|general protection|unable to handle|stack guard|refcount|leak|are left|INFO: '; then
		echo "the Host's log is not clean"
		return 1
	fi
}
END
