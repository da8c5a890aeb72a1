# SPDX-License-Identifier: GPL-2.0-only
# What is where in the Switcher's page.
echo 'offset  label'
start=$(nm kmod/lg.ko | sed -n 's/ . switcher_start$//p')
nm kmod/lg.ko | grep -iE ' r (switcher_|restore_host|trap_(common|in_)|save_guest|ist_|irq_common|return_)' |
	sort | while read -r at _ name; do
	printf '%6d  %s\n' $((0x$at - 0x$start)) "$name"
done
