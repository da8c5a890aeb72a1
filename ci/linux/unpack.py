# SPDX-License-Identifier: GPL-2.0-only
# The ELF file inside a bzImage that is packed with xz:  unpack.py VMLINUZ
import lzma, struct, sys

image = open(sys.argv[1], 'rb').read()
offset, length = struct.unpack_from('<II', image, 0x248)
begin = (image[0x1f1] + 1) * 512 + offset
sys.stdout.buffer.write(lzma.LZMADecompressor().decompress(image[begin:begin + length]))
