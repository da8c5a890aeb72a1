# SPDX-License-Identifier: GPL-2.0-only
# What make run says when everything is installed and built.
#= s/6\.1\.0-[0-9]+/6.1.0-NN/
#= s/[0-9]+ s in all/N s in all/
#= s/so far: [0-9]+/so far: N/
#= s/[0-9a-f]{16}/ADDRESS/
#= s/ +[0-9]+ world switches/ N world switches/
echo '$ make run'
bash tangle/run.sh
