# SPDX-License-Identifier: GPL-2.0-only
# Guests with page tables of their own.
script=$(mktemp)
trap 'rm -f "$script"' EXIT
cat >"$script" <<'END'
insmod lg.ko
e() { echo "# $*"; "$@" 2>&1 | sed '/^ *r[a-z0-9]* /d;/^ *[a-z]s /d;/_base/d'; }
e lguest guests/paging
e lguest --arg 2 guests/levels
e lguest --arg 1 guests/user
for g in marks large twice; do
	echo "# lguest guests/$g; echo \$?"
	lguest guests/$g; echo $?
done
echo '# lguest guests/user; echo $?'
lguest guests/user; echo $?
e lguest guests/gadget
rmmod lg
END
timeout 600 ci/boot -- "$script"
