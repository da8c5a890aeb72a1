#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Follow the Switcher by single instructions, and say what changes its owner.

usage: follow.py in|out|syscall [--module FILE] [options for ci/boot...]
       follow.py check [--module FILE] [options for ci/boot...]
       follow.py guesses [--module FILE] [options for ci/boot...]

The second form goes in, and out again by an interrupt, and demands at every
instruction that the tables which are live fit together.  The third goes the
same way and says what is done about the processor's guesses.
"""
import os
import re
import struct
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "ci", "nmi"))
from rsp import Dead, Gdb, Hang  # noqa: E402

WINDOW = 0xffff800000000000
END = WINDOW + (1 << 39)
VCPUS = WINDOW + (1 << 30)
# What Linux may have put where a Guest comes back.
UNTEACH = ("entry_untrain_ret", "srso_alias_untrain_ret", "entry_ibpb", "clear_bhb_loop")


def text(module):
    """Each instruction of the Switcher: offset -> (label+offset, text)."""
    out = subprocess.check_output(
        ["objdump", "-D", "-j", ".switcher", "--no-show-raw-insn", module], text=True)
    table, label, base = {}, "", 0
    for line in out.splitlines():
        m = re.match(r"([0-9a-f]+) <(\S+)>:", line)
        if m:
            base, label = int(m.group(1), 16), m.group(2)
            if label == "switcher_start":
                label = "switcher_enter"
            continue
        m = re.match(r"\s*([0-9a-f]+):\t(.*)", line)
        if m:
            at = int(m.group(1), 16)
            insn = re.sub(r"\s+", " ", re.sub(r"\s*[<#].*", "", m.group(2))).strip()
            table[at] = (label + ("+%#x" % (at - base) if at > base else ""), insn)
    return table


class Watch:
    def __init__(self, gdb):
        self.gdb = gdb
        self.state = None
        self.trail = []

    def registers(self):
        out = self.gdb.monitor("info registers")
        found = {}
        for name in ("IDT", "GDT"):
            found[name] = int(re.search(name + r"=\s*([0-9a-f]+)", out).group(1), 16)
        found["DR7"] = int(re.search(r"DR7=([0-9a-f]+)", out).group(1), 16)
        found["flags"] = int(re.search(r"RFL=([0-9a-f]+)", out).group(1), 16)
        found["SS"] = int(re.search(r"SS =([0-9a-f]+)", out).group(1), 16)
        for name in ("TR ", "GS ", "FS ", "LDT"):
            found[name.strip()] = int(
                re.search(name + r"=[0-9a-f]+ ([0-9a-f]+)", out).group(1), 16)
        found["CR3"] = int(re.search(r"CR3=([0-9a-f]+)", out).group(1), 16)
        found["ring"] = int(re.search(r"CPL=(\d)", out).group(1))
        found["RSP"] = int(re.search(r"RSP=([0-9a-f]+)", out).group(1), 16)
        found["NMI"] = self.nmi(found["IDT"], found["TR"])
        return found

    def nmi(self, idt, tss):
        """Who would take an NMI now, and on whose stack?  As the processor looks."""
        try:
            gate = struct.unpack("<HHBBHII", self.gdb.read(idt + 16 * 2, 16))
            handler = gate[0] | gate[4] << 16 | gate[5] << 32
            stack = self.gdb.words(tss + 0x24 + 8 * ((gate[2] & 7) - 1))[0]
            self.gdb.words(stack - 8)
            self.gdb.read(handler, 1)
        except Dead:
            return "NOBODY"
        return "%s handler, %s stack" % tuple(
            "our" if WINDOW <= x < END else "Host's" for x in (handler, stack))

    def owner(self, name, value):
        if name in ("ring", "NMI"):
            return str(value)
        if name == "CR3":
            return "the Guest's" if value == self.guest_cr3 else "the Host's"
        if name == "RSP":
            if value >= END:
                return "the Host's stack"
            return "the vCPU's page" if value >= VCPUS else "the Guest's"
        if name in ("GS", "FS"):
            return ("the Host's" if value == self.host[name] else
                    "ours" if value >= VCPUS else "the Guest's")
        if WINDOW <= value < END:
            return "ours"
        if name == "GDT" and value != self.host["GDT"]:
            return "the Host's, to write"
        return "the Host's"

    def look(self):
        found = self.registers()
        self.found = found
        new = {k: self.owner(k, v) for k, v in found.items()
               if k not in ("LDT", "DR7", "flags", "SS")}
        old, self.state = self.state, new
        return {k: v for k, v in new.items() if not old or old[k] != v}

    def complaints(self):
        """What does not fit together, after an instruction in ring 0."""
        now, found = self.state, self.found
        handler, stack = now["NMI"].split(" handler, ") if now["NMI"] != "NOBODY" else ("", "")
        if not handler:
            yield "nobody could take an NMI"
        if handler == "Host's":
            for name in ("CR3", "GDT", "GS", "IDT", "TR", "RSP"):
                if now[name] not in ("the Host's", "the Host's stack"):
                    yield "an NMI would go to the Host with %s: %s" % (name, now[name])
            if stack != "Host's stack":
                yield "an NMI would go to the Host on our stack"
        if now["CR3"] == "the Guest's" and now["NMI"] != "our handler, our stack":
            yield "under the Guest's tables, for an NMI: " + now["NMI"]
        if found["DR7"] & 0xff:
            yield "breakpoints are on"
        if found["flags"] & 0x4700 and now["ring"] == "0":
            yield "RFLAGS is %#x" % found["flags"]		# NT, DF, IF, TF

    def guesses(self):
        """What a RET of the Host's could still guess by, as far as the way home says."""
        way = self.trail[:self.trail.index("lidt")] if "lidt" in self.trail else []
        calls = way.count("call")
        if calls < 32:
            yield "%d calls before the Host takes interrupts, 32 fill the return stack" % calls
        elif "lfence" not in way[len(way) - way[::-1].index("call"):]:
            yield "no LFENCE after the calls that fill the return stack"

    def came_home(self):
        for name in ("IDT", "GDT", "TR", "GS", "LDT", "SS", "CR3"):
            if self.found[name] != self.host[name]:
                yield "%s was %#x and is %#x" % (name, self.host[name], self.found[name])


def main():
    way, options = sys.argv[1], sys.argv[2:]
    module = os.path.join(TOP, "kmod", "lg.ko")
    if "--module" in options:
        module = options[options.index("--module") + 1]
    with tempfile.TemporaryDirectory(prefix="lguest.follow.") as tmp:
        script, sock = os.path.join(tmp, "script"), os.path.join(tmp, "gdb")
        with open(script, "w") as f:
            if way == "guesses":
                f.write("grep -E ' (%s)$' /proc/kallsyms\n" % "|".join(UNTEACH))
            f.write("insmod /lg/lg.ko\nlguest /lg/guests/%s\n" %
                    ("spin" if way in ("out", "check", "guesses") else "hello"))
        log = open(os.path.join(tmp, "log"), "w")
        boot = subprocess.Popen(
            # One processor: the monitor shows the registers of the first.
            [os.path.join(TOP, "ci", "boot"), "--append", "nokaslr", "--cpus", "1", "--stopped",
             "--timeout", "700", "--gdb", sock, *options, "--", script],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            g = Gdb(sock, patience=300)
            bad = guesses(g, module, log.name) if way == "guesses" else follow(way, g, module)
        except (Dead, Hang) as e:
            print("WRONG: the machine: %s" % e)
            bad = 1
        finally:
            boot.terminate()
            boot.wait()
    return 1 if bad else 0


def label(module, name):
    for line in subprocess.check_output(["nm", module], text=True).splitlines():
        if line.split()[-1] == name:
            return int(line.split()[0], 16)
    raise KeyError(name)


def say(at, insn, what):
    print(("%-19s %-21s %s" % (at.replace("switcher_", ""), insn, what)).rstrip())


def walk(g, watch, insns, tell):
    """Step until the window is left.  Returns how many steps, how many wrong.

    A stop after which no register is another was none of the processor's doing: there is
    no instruction that leaves RIP and all others as they are, but for a jump to itself.
    """
    count = bad = idle = 0
    regs = g.regs()
    while WINDOW <= regs["rip"] < WINDOW + 4096 and count < 500:
        pc, before = regs["rip"], regs
        here = insns.get(pc - WINDOW, ("offset %#x" % (pc - WINDOW), ""))
        watch.trail.append(here[1].split(" ")[0])
        g.step()
        regs = g.regs()
        if regs == before:
            idle += 1
            if idle < 100:
                continue
            raise Hang("at %#x for %d steps" % (pc, idle))
        count, idle = count + 1, 0
        changed = watch.look()
        if tell:
            for name, owner in sorted(changed.items()):
                say(*here, "%s: %s" % (name, owner))
                here = ("", "")
            continue
        for what in watch.complaints():
            print("WRONG: after %s, %s: %s" % (*here, what))
            bad += 1
    return count, bad


def guesses(g, module, log):
    insns = text(module)
    g.run_to(WINDOW, timeout=500)
    back = g.words(g.regs()["rsp"])[0]
    watch = Watch(g)
    watch.host = watch.registers()
    watch.guest_cr3 = g.words(g.regs()["rsi"])[0] & ~(1 << 63)
    walk(g, watch, insns, False)
    print("on the way in:   %s" % ("VERW" if "verw" in watch.trail else "nothing"))
    g.run_to(WINDOW + label(module, "irq_common"), timeout=300)
    watch.trail = []
    walk(g, watch, insns, False)
    print("on the way out:  %d calls, %s" % (watch.trail.count("call"), watch.trail[-1].upper()))
    with open(log) as f:
        names = {int(m.group(1), 16): m.group(2)
                 for m in re.finditer(r"^([0-9a-f]{16}) \w (\w+)$", f.read(), re.M)}
    after = []
    while g.words(back, 1)[0] & 0xffffff != 0xec8948:	# mov %rbp, %rsp
        code = g.read(back, 5)
        if code[0] == 0xe8:
            to = (back + 5 + struct.unpack("<i", code[1:])[0]) & (1 << 64) - 1
            after.append(names.get(to, "%#x" % to))
            back += 4
        back += 1
    print("back in Linux:   %s" % (", ".join(after) or "nothing"))
    return not names


def follow(way, g, module):
    insns = text(module)
    g.run_to(WINDOW, timeout=500)
    watch = Watch(g)
    watch.host = watch.registers()
    watch.guest_cr3 = g.words(g.regs()["rsi"])[0] & ~(1 << 63)
    if way == "check":
        watch.look()
        steps, bad = walk(g, watch, insns, False)
        if watch.state["ring"] != "3":
            print("WRONG: after %d instructions we are not in the Guest" % steps)
            return bad + 1
        print("%d instructions into the Guest" % steps)
        g.run_to(WINDOW + label(module, "irq_common"), timeout=300)
        watch.look()
        watch.trail = []
        steps, worse = walk(g, watch, insns, False)
        print("%d instructions home again" % steps)
        for what in [*watch.guesses(), *watch.came_home()]:
            print("WRONG: at home %s" % what)
            worse += 1
        return bad + worse
    start = {"in": "switcher_enter", "out": "irq_common",
             "syscall": "switcher_syscall"}[way]
    if way != "in":
        g.run_to(WINDOW + label(module, start), timeout=300)
    before = {}
    for name, owner in sorted(watch.look().items()):
        if name not in ("NMI", "ring"):
            before.setdefault(owner, []).append(name)
    for owner, names in sorted(before.items()):
        say("before", " ".join(names), owner)
    say("", "an NMI", watch.state["NMI"])
    say("", "the ring", watch.state["ring"])
    print("%d instructions" % walk(g, watch, insns, True)[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
