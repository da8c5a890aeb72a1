# SPDX-License-Identifier: GPL-2.0-only
"""wrap.py OUT PAYLOAD SIZE|- [SECTORS]: a bzImage around a payload.

SIZE is appended, as the kernel's build does; with - it is in the payload.
"""
import struct
import sys

out, payload, size = sys.argv[1:4]
sectors = int(sys.argv[4]) if len(sys.argv) > 4 else 39
body = open(payload, "rb").read()
if size != "-":
    body += struct.pack("<I", int(size))
head = bytearray((sectors + 1) * 512)
head[0x1F1] = sectors
head[0x1FE:0x200] = b"\x55\xaa"
head[0x202:0x206] = b"HdrS"
struct.pack_into("<H", head, 0x206, 0x020F)
struct.pack_into("<II", head, 0x248, 716, len(body))
with open(out, "wb") as f:
    f.write(bytes(head) + b"\x90" * 716 + body + b"\0" * 512)
