# SPDX-License-Identifier: GPL-2.0-only
# The same questions to both machines.
#= s/6\.1\.0-[0-9]+/6.1.0-NN/
set -eu
ask=$(mktemp)
trap 'rm -f "$ask"' EXIT
cat >"$ask" <<'END'
sed -n 's/^model name.*: //p; s/^vendor_id.*: /maker: /p' /proc/cpuinfo
for f in smep smap umip pcid invpcid pge; do
	grep -qw $f /proc/cpuinfo && echo -n "$f yes  " || echo -n "$f no  "
done
echo
echo "isolation: $(cat /sys/devices/system/cpu/vulnerabilities/meltdown)"
END
echo '$ ci/boot -- ask'
ci/boot -- "$ask"
echo '$ ci/boot --machine bochs --pti on -- ask'
ci/boot --machine bochs --pti on -- "$ask" 2>/dev/null | grep -v '^\['
