# SPDX-License-Identifier: GPL-2.0-only
# What the Launcher says before there is a machine.
cd launcher || exit 1
e() { # show it and its status
	echo "\$ lguest $*"
	./lguest "$@" 2>&1
	rc=$?; printf "$ echo \$?\n%d\n" $rc
}
e --memory 4097M guests/hello
e guests/hello.S
e /bin/true
e --memory 4K guests/hello
[ -e /dev/lguest ] && exit 1
e --verbose guests/hello
true
