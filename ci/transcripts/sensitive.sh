# SPDX-License-Identifier: GPL-2.0-only
# What becomes of sensitive instructions in ring 3.
set -e
gcc -O1 -static -Wall -Wextra -Werror -o build/transcript.sensitive.elf launcher/sensitive.c
cat >build/transcript.sensitive <<'END'
echo '$ sensitive'
/sensitive
END
ci/boot --add build/transcript.sensitive.elf:/sensitive -- build/transcript.sensitive
