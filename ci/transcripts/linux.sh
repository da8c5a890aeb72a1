# SPDX-License-Identifier: GPL-2.0-only
# What make linux says without a terminal, when everything is installed and built.
#~ s/\x1b\[6n//g
#~ /^mapping kernel|^about to get|^\[ *[0-9]+\.[0-9]+\]/d
#= s/6\.1\.0-[0-9]+/6.1.0-NN/g
#= s/Debian 6\.1\.[^)]*\)/Debian VERSION/
#= s/v1\.[0-9.]+ \(Debian [^)]*\)/VERSION/
#= s/[0-9]+ s in all/N s in all/
#= s/^process [0-9]/process N/
#= s/^\[[0-9]\][+-]? *Done.*/Done/
#= s/^(Mem[A-Za-z]*:) *[0-9]+ kB/\1 N kB/
#= s/^[0-9]+$/N/
echo '$ make linux </dev/null'
bash tangle/linux.sh </dev/null
