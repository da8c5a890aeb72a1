# SPDX-License-Identifier: GPL-2.0-only
"""The Switcher's listing, as objdump sees it, with every vector's stub named."""
import bisect
import os
import re
import subprocess
import tempfile

import labels


def symbols(path):
    table = {}
    for line in subprocess.check_output(["nm", path], text=True).splitlines():
        m = re.match(r"([0-9a-f]+) \w (\S+)$", line)
        if m:
            table[m.group(2)] = int(m.group(1), 16)
    return table


def switcher_symbols(module):
    table = {}
    out = subprocess.check_output(["objdump", "-t", module], text=True)
    for line in out.splitlines():
        m = re.match(r"([0-9a-f]+) .{7} (\S+)\s+[0-9a-f]+ (?:\.hidden )?(\S+)$", line)
        if m and m.group(2) == labels.SECTION and m.group(3) != labels.SECTION:
            table[m.group(3)] = int(m.group(1), 16)
    return table


class Listing:
    """Each instruction: offset -> (name, bytes, text).  stubs: vector -> offset."""

    def __init__(self, module, text, stubs):
        self.labels = switcher_symbols(module)
        names = dict(self.labels)
        names.update({"vector_%d" % v: a for v, a in stubs.items()})
        size = max(names.values())
        if "switcher_end" in names:
            size = names["switcher_end"]
        out = self.disassemble(text[:size], names)
        self.at = sorted((a, n) for n, a in names.items())
        self.starts = [a for a, n in self.at]
        self.insns, fill = {}, False
        self.padding = 0
        for line in out.splitlines():
            m = re.match(r"\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*(?:\t(.*))?$", line)
            if not m:
                continue
            offset, raw, text = int(m.group(1), 16), m.group(2).split(), m.group(3)
            if text is None:		# more bytes of the same instruction
                continue
            if offset in self.starts:
                fill = False
            if fill and not set(raw) - {"00", "90"}:
                self.padding += 1
                continue
            text = re.sub(r"\s+", " ", text.split("#")[0]).strip()
            self.insns[offset] = (self.name(offset), text)
            fill = bool(re.match(r"(jmp|ret|lret|iret|int3)", text))

    def find(self, text, after):
        """The first instruction that begins so, at or after an offset."""
        return min(o for o, (name, insn) in self.insns.items()
                   if o >= after and insn.startswith(text))

    @staticmethod
    def disassemble(text, names):
        """By objdump, which begins anew at each symbol."""
        with tempfile.TemporaryDirectory() as tmp:
            raw, obj = os.path.join(tmp, "text"), os.path.join(tmp, "text.o")
            with open(raw, "wb") as f:
                f.write(text)
            add = []
            for n, a in names.items():
                add += ["--add-symbol", "%s=%s:%#x" % (n, labels.SECTION, a)]
            subprocess.check_call(["objcopy", "-I", "binary", "-O", "elf64-x86-64",
                                   "--rename-section", ".data=" + labels.SECTION,
                                   *add, raw, obj])
            return subprocess.check_output(
                ["objdump", "-D", "-z", "-j", labels.SECTION, obj], text=True)

    def name(self, offset):
        at = bisect.bisect_right(self.starts, offset) - 1
        base = self.starts[at]
        names = [n for a, n in self.at if a == base]
        best = min(names, key=lambda n: (not n.startswith("vector_"), n.endswith("_end"),
                                         n.endswith("_start"), "clac" in n, n))
        return best + ("+%#x" % (offset - base) if offset > base else "")
