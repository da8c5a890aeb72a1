# SPDX-License-Identifier: GPL-2.0-only
"""expect.py VMLINUZ ELF MEMORY: what must come out of a real kernel's file.

By other means than the Launcher's: the system's own unpackers, and readelf.
Writes the ELF file, and the memory up to the kernel's end, and prints lines as
lguest --describe does.
"""
import re
import struct
import subprocess
import sys

source, elf, memory = sys.argv[1:]
raw = open(source, "rb").read()
offset, length = struct.unpack_from("<II", raw, 0x248)
at = ((raw[0x1F1] or 4) + 1) * 512 + offset
payload = raw[at:at + length]
magics = {b"\x1f\x8b": ("gzip", "gzip -dc"), b"\xfd7zXZ": ("xz", "xz -dc"),
          b"\x28\xb5\x2f\xfd": ("zstd", "zstd -dc"), b"\x02\x21\x4c\x18": ("lz4", "lz4 -dc")}
packing, tool = next(v for k, v in magics.items() if payload.startswith(k))
size = struct.unpack("<I", payload[-4:])[0]
packed = payload if packing == "gzip" else payload[:-4]
out = subprocess.run(tool.split(), input=packed, stdout=subprocess.PIPE, check=True).stdout
if len(out) != size:
    sys.exit(f"{source}: {tool} gives {len(out)} bytes, not {size}")
with open(elf, "wb") as f:
    f.write(out)


def readelf(option):
    """What it says, without its complaints about types that it does not know."""
    return subprocess.run(["readelf", "-W", option, elf], stdout=subprocess.PIPE, check=True, text=True).stdout


spread = bytearray()
loads = re.findall(r"^ +LOAD +" + r"(0x[0-9a-f]+) +" * 5 + r"(.{3})", readelf("-l"), re.M)
print(f"bzImage, boot protocol {raw[0x207]}.{raw[0x206]}")
print(f"  payload          {length} bytes, packed with {packing}")
print(f"ELF, {size} bytes")
for *numbers, flags in loads:
    begin, virtual, physical, in_file, in_memory = (int(n, 16) for n in numbers)
    spread.extend(bytes(max(0, physical + in_memory - len(spread))))
    spread[physical:physical + in_memory] = out[begin:begin + in_file] + bytes(in_memory - in_file)
    mode = "".join(c if k in flags else "-" for k, c in ("Rr", "Ww", "Ex"))
    print(f"  to 0x{physical:08x} {in_memory:9} bytes  {mode}  as 0x{virtual:016x}")
with open(memory, "wb") as f:
    f.write(spread)

notes = {}
names = {"NT_VERSION": 1, "NT_ARCH": 2, "GO BUILDID": 4}  # what it takes them for
for owner, name, number, data in re.findall(
        r"^ +(\S+) +0x[0-9a-f]+\s+(?:(NT_VERSION|NT_ARCH|GO BUILDID)|Unknown note type: \((0x[0-9a-f]+)\))[^\n]*?"
        r"\s+description data: ([0-9a-f ]+)$", readelf("-n"), re.M):
    if owner == "Xen":
        notes[names.get(name) or int(number, 16)] = bytes.fromhex(data)


def value(type_, absent="(none)"):
    return hex(int.from_bytes(notes[type_], "little")) if type_ in notes else absent


def words(type_):
    return notes.get(type_, b"").split(b"\0")[0].decode()


print("notes for Xen")
for name, said in (("entry", value(1)), ("base", value(3)), ("offset", value(4, "0")), ("frame list", value(15)),
                   ("hypercall page", value(2)), ("disk by frame", value(16, "0")), ("interface", words(5)),
                   ("system", words(6)), ("features", words(10))):
    print(f"  {name:16} {'0' if said == '0x0' else said}")
