# SPDX-License-Identifier: GPL-2.0-only
# Which features of the processor the Host's kernel uses, and which the Guest's.
. ci/transcripts/linux.lib
cat >build/transcript.linux-cpu <<'END'
insmod /lg/lg.ko || exit 1
words() { tr -d '\r' | grep '^flags' | head -n 1 | cut -d: -f 2 | tr ' ' '\n' | grep . | sort; }
words </proc/cpuinfo >/tmp/host
printf 'grep ^flags /proc/cpuinfo\nexit\n' >/tmp/typed
lguest --memory 192 --initrd /lg/initrd --append "console=hvc0 quiet nr_cpus=1" \
	/lg/vmlinuz </tmp/typed 2>/dev/null | words >/tmp/guest
say() { echo "$1"; tr '\n' ' ' | fold -s -w 74 | sed 's/^/  /; s/ *$//'; echo; }
grep -Fxf /tmp/guest /tmp/host | say "both kernels:"
grep -Fxvf /tmp/guest /tmp/host | say "the Host's alone:"
grep -Fxvf /tmp/host /tmp/guest | say "the Guest's alone:"
END
linux build/transcript.linux-cpu
