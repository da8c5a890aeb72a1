#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""An NMI before every instruction of the Switcher.

Boots a Host under QEMU, lets the Launcher of these tests (ride.c) ride
again and again, stops each ride at one chosen instruction, sends the NMI
there, and looks whether it arrived, was counted by a handler of the Host
(nmitest.c), and left Guest, Launcher and Host as they were.
"""
import argparse
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

import labels
from listing import Listing, symbols
from rsp import Dead, Gdb, Hang

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SW, SW_END = labels.WINDOW, labels.WINDOW + 0x1000
WAY = struct.Struct("<8Q")
DB, NMI, DF, MC = 1, 2, 8, 18
FIRST_IRQ = 32
LONG = 1000			# no way through the Switcher has so many steps

# Offsets in ride.c's struct ride, addresses and values of ride.h.
END, RELOAD, VERDICT, RIDES, DRIVEN, THE_WAY, WHY = 0, 8, 16, 24, 32, 40, 104
EXPECT, STACK, FLAGS, REPORT, BUG = 0x4100, 0x7f00, 0x244ed7, 0x5000, 0xb06
TF, RF, DF_FLAG, CLOSED = 0x100, 0x10000, 0x400, 0x44400
SHORT = ("call", "keys", "return", "other", "itself", "fault")	# these do not go home
SYSCALL = b"\x0f\x05"
GPRS = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15".split()

# Machine checks that Linux shrugs off: on AMD a deferred error, on Intel a
# memory scrubber's, "action optional".  Restart and "in progress" in MCG_STATUS.
MCE = {"off": "mce 0 1 0xa000100000000000 0x5 0x0 0x0",
       "on": "mce 0 1 0xb1000000000000c0 0x5 0x0 0x0"}


class Wrong(Exception):
    """Something was not as it should be after an NMI."""


class NoStart(Exception):
    """It is not the Switcher's fault: no Guest has been begun yet."""


class Bench:
    """One booted Host with one Guest, which waits at its label "again"."""

    def __init__(self, opts):
        self.opts = opts
        self.dir = tempfile.mkdtemp(prefix="lguest.nmi.")
        self.serial = open(os.path.join(self.dir, "serial"), "w+", errors="replace")
        self.guest = symbols(os.path.join(opts.out, "guest"))
        self.ride = symbols(os.path.join(opts.out, "ride"))
        with open(os.path.join(opts.out, "guest.bin"), "rb") as f:
            self.code = f.read()
        self.ways = self.read_ways()
        self.random = random.Random(opts.seed)
        sock = os.path.join(self.dir, "gdb")
        cmd = [os.path.join(TOP, "ci", "boot"), "--append", "nokaslr tsc=reliable", "--stopped",
               "--timeout", str(opts.limit), "--gdb", sock, "--module", opts.module,
               "--pti", opts.pti, "--cpus", "1", "--mem", "256",
               "--qemu", "-icount shift=3"]
        cmd += ["--add", os.path.join(TOP, "ci", "end.sh") + ":/end.sh"]
        for f in ("ride", "nmitest.ko"):
            cmd += ["--add", "%s:/lg/%s" % (os.path.join(opts.out, f), f)]
        if opts.kver:
            cmd += ["--kver", opts.kver]
        cmd += opts.boot + ["--", os.path.join(TOP, "ci", "nmi", "host.sh")]
        self.proc = subprocess.Popen(cmd, stdout=self.serial, stderr=subprocess.STDOUT,
                                     stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            self.start(sock)
        except BaseException:
            print(self.log()[-1000:])
            self.kill()
            raise

    def read_ways(self):
        ways = {}
        begin = {a: n for n, a in self.guest.items() if n.startswith("begin_")}
        for at in range(0, len(self.code), WAY.size):
            way = WAY.unpack_from(self.code, at)
            if not way[0]:
                break
            names = "begin at stop vector error cr2 cs flags".split()
            ways[begin[way[0]][6:]] = dict(zip(names, way))
        return ways

    def start(self, sock):
        self.gdb = g = Gdb(sock)
        self.here = self.ride["checkpoint_here"]
        self.again, self.wrong = self.guest["again"], self.guest["wrong"]
        try:
            g.run_to(self.here, timeout=self.opts.limit)
        except (Dead, Hang) as e:
            raise NoStart(str(e)) from None
        for _ in range(100):		# what it says comes by way of other programs
            m = re.search(r"nmitest: notes at ([0-9a-f]+)", self.log())
            if m:
                break
            time.sleep(.1)
        else:
            raise NoStart("nmitest has not said where its notes are")
        self.notes_at = int(m.group(1), 16)
        self.host_idt = self.table("IDT")
        self.live()
        # In the Guest: our own IDT tells where each vector's stub is.
        self.idt = self.table("IDT")
        self.gates, self.ist = {}, {}
        for v in range(256):
            low, cs, ist, kind, mid, high, zero = struct.unpack(
                "<HHBBHII", g.read(self.idt + 16 * v, 16))
            self.gates[v] = low | mid << 16 | high << 32
            self.ist[v] = ist & 7
        tss = self.table("TR ")
        self.rsp0 = g.words(tss + 4)[0]
        self.stacks = {i: g.words(tss + 0x24 + 8 * (i - 1))[0] for i in range(1, 8)}
        text = b"".join(g.read(SW + i, 1024) for i in range(0, 4096, 1024))
        self.listing = Listing(self.opts.module, text, {v: a - SW for v, a in self.gates.items()})
        self.labels = {n: SW + a for n, a in self.listing.labels.items()}
        self.ret = SW + self.listing.find("lret", self.listing.labels[labels.RESTORE])
        self.enter, self.iret = self.labels[labels.ENTER], self.labels[labels.IRET]
        self.leave()
        # On the Host: where its own gate leads, for NMIs on its side.
        g.write(self.ride["ride"] + DRIVEN, struct.pack("<Q", 0))
        self.choose(self.ways["spin"])
        self.go(self.enter)
        self.event_vector = MC if self.opts.event == "mc" else NMI
        low, cs, ist, kind, mid, high, zero = struct.unpack(
            "<HHBBHII", g.read(self.host_idt + 16 * self.event_vector, 16))
        self.host_nmi = low | mid << 16 | high << 32
        self.land()
        self.live()

    def log(self):
        self.serial.flush()
        with open(self.serial.name, errors="replace") as f:
            return f.read()

    def table(self, name):
        info = self.gdb.monitor("info registers")
        m = re.search(r"%s\s*=\s*(?:[0-9a-f]{4} )?([0-9a-f]{16})" % name, info)
        return int(m.group(1), 16)

    def notes(self):
        """How many NMIs the handler on the Host has seen."""
        self.gdb.physical(1)
        count = self.gdb.words(self.notes_at)[0]
        self.gdb.physical(0)
        return count

    def where(self, rip):
        if SW <= rip < SW_END:
            return self.listing.name(rip - SW)
        return {self.again: "the Guest's end", self.wrong: "the Guest's complaint",
                self.here: "the Launcher"}.get(rip, "%#x" % rip)

    # From the Launcher into a life, and back.

    def choose(self, way, driven=0, reload=0):
        ride = self.ride["ride"]
        self.gdb.write(ride + RELOAD, struct.pack("<Q", reload))
        self.gdb.write(ride + DRIVEN, struct.pack("<Q", driven))
        self.gdb.write(ride + THE_WAY, WAY.pack(*way.values()))

    def live(self, reload=0):
        """Begin a Guest's life; it waits for us at "again"."""
        self.choose(self.ways["driven"], driven=1, reload=reload)
        self.go(self.again)
        self.base = self.gdb.regs()

    def leave(self):
        """End it, and hear what the Launcher thinks of the Host's state."""
        regs = dict(self.base, rip=self.guest["leave"], rdi=0)
        self.gdb.set_regs(regs)
        self.land()

    def land(self):
        self.go(self.here)
        ride = self.ride["ride"]
        if self.gdb.words(ride + VERDICT)[0]:
            raise Wrong(self.gdb.read(ride + WHY, 160).split(b"\0")[0].decode())

    def end(self):
        self.leave()
        self.gdb.write(self.ride["ride"] + END, struct.pack("<Q", 1))
        self.gdb.send("D")
        try:
            status = self.proc.wait(300)
        except subprocess.TimeoutExpired:
            raise Wrong("the Host does not end") from None
        if status:
            raise Wrong("the Host ended with %d:\n%s" % (status, self.log()[-2000:]))

    def kill(self):
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
            try:
                self.proc.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.proc.pid, signal.SIGKILL)
        if not self.opts.keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    # Moving about.

    def go(self, *addrs):
        try:
            regs = self.gdb.run_to(*addrs, timeout=self.opts.patience)
        except Hang:
            self.gdb.interrupt()
            r = self.gdb.regs()
            raise Hang("hang at %s, CS %#x" % (self.where(r["rip"]), r["cs"])) from None
        if regs["rip"] not in addrs:
            raise Wrong("stopped at %s" % self.where(regs["rip"]))
        return regs

    def to(self, addr):
        if self.gdb.regs()["rip"] != addr:
            self.go(addr)

    def aim(self, way):
        """Give the Guest fresh registers and bring it to a way's gate."""
        g = self.gdb
        self.way = dict(self.ways[way])
        self.dying = self.way["vector"] != (1 << 64) - 1
        self.undo = None
        self.was_home = False
        values = [self.random.getrandbits(64) for _ in GPRS]
        values[GPRS.index("rsp")] = STACK
        back = values[:]
        regs = dict(self.base, **dict(zip(GPRS, values)))
        regs.update(rip=self.way["begin"], eflags=FLAGS)
        if self.code[self.way["at"] - 0x1000:][:2] == SYSCALL:
            back[GPRS.index("rcx")] = self.way["stop"]
            back[GPRS.index("r11")] = FLAGS
        if way in ("hypercall", "segments"):
            regs.update(rax=1002, rdi=REPORT)	# LHCALL_REPORT
            back[GPRS.index("rax")] = 0
            back[GPRS.index("rdi")] = REPORT
        if way in ("return", "unusual", "itself", "fault", "busy"):
            back = values
        g.write(EXPECT, struct.pack("<18Q", *back, 0, FLAGS & ~(CLOSED if way in ("call", "keys", "other", "fault") else 0)))
        g.set_regs(regs)
        self.count = self.notes()
        if self.way["begin"] != self.way["at"]:
            self.go(self.way["at"])

    def push_frame(self, top, *words):
        sp = (top & ~15) - 8 * len(words)
        self.gdb.write(sp, struct.pack("<%dQ" % len(words), *words))
        return sp

    def forge(self, vector, error=None):
        """Put the processor where hardware would, had it raised this vector."""
        g = self.gdb
        regs = g.regs()
        ring3 = regs["cs"] & 3
        stack = self.stacks[self.ist[vector]] if self.ist[vector] else (
            self.rsp0 if ring3 else regs["rsp"])
        words = [regs["rip"], regs["cs"], regs["eflags"], regs["rsp"], regs["ss"] if ring3 else 0]
        if error is not None:
            words.insert(0, error)
        regs["rsp"] = self.push_frame(stack, *words)
        # The null SS of a real entry has no DPL that the debugger could load.
        regs.update(rip=self.gates[vector], cs=0x10, ss=0x18, eflags=regs["eflags"] & ~0x34300)
        g.set_regs(regs)
        if ring3:
            self.way.update(vector=vector, error=vector if vector >= FIRST_IRQ else error or 0, stop=words[-5], flags=0, cs=0x33)
            self.dying = True

    def msi(self, vector):
        """A message to the local APIC, as a device would send it."""
        self.gdb.physical(1)
        self.gdb.write(0xfee00000, struct.pack("<I", vector))
        self.gdb.physical(0)

    # The NMI.

    def event(self, *addrs):
        """One step with events let in: it must land at one of these."""
        for _ in range(3):
            was = self.gdb.regs()["rip"]
            self.gdb.step(events=True)
            regs = self.gdb.regs()
            if regs["rip"] != was:		# else the stub stopped before anything happened
                break
        if regs["rip"] not in addrs:
            raise Wrong("the event led to %s" % self.where(regs["rip"]))
        return regs

    def inject(self, where, held=False):
        """Here and now.  The frame must say that it was here."""
        g = self.gdb
        g.monitor("nmi" if self.event_vector == NMI else MCE[self.opts.pti])
        if held:
            g.step(events=True)
            if g.regs()["rip"] == where:
                g.step(events=True)
            regs = g.regs()
            while regs["rip"] not in (self.gates[NMI], self.host_nmi):
                if regs["rip"] == self.ret:
                    self.home()
                watch = [self.gates[NMI], self.host_nmi] + [self.ret] * (not self.is_home)
                regs = self.go(*watch)
            frame = g.words(regs["rsp"], 5)
            return "held until %s" % (self.where(frame[0]) if SW <= frame[0] < SW_END
                                      else "IRET on the Host")
        regs = self.event(self.gates[self.event_vector], self.host_nmi)
        frame = g.words(regs["rsp"], 5)
        if frame[0] != where:
            raise Wrong("its frame says %s" % self.where(frame[0]))
        return "delivered"

    def finish(self):
        """Let the way end: back in the Guest, with every register right."""
        g = self.gdb
        if not self.is_home:
            self.to(self.ret)
            self.home()
        rip = self.go(self.again, self.wrong, self.here)["rip"]
        if rip == self.here:			# or the Launcher would begin another life
            why = g.read(self.ride["ride"] + WHY, 160).split(b"\0")[0].decode()
            raise Wrong("the Guest is dead: " + why)
        if rip == self.wrong:
            n = g.regs()["rdi"] - 1
            names = GPRS + "rip rflags cs ss ds es fs gs fs_base gs_base".split()
            raise Wrong("the Guest finds %s changed" % (names[n] if n < 26 else "XMM%d" % ((n - 26) // 2)))

    def home(self):
        """At the last instruction of the way out."""
        self.is_home = True
        if self.undo:
            self.undo()
        if self.dying:
            self.resurrect()

    @property
    def is_home(self):
        return self.was_home or not (self.undo or self.dying)

    @is_home.setter
    def is_home(self, value):
        self.was_home = value

    def resurrect(self):
        """On the way home from a deadly trap: look at it, and call it off."""
        g, way = self.gdb, self.way
        at = self.rsp0 - 56
        vector, error, rip, cs, flags, rsp, ss = g.words(at, 7)
        want = [way["vector"], way["error"], way["stop"], way["cs"], FLAGS ^ way["flags"], STACK, 0x2b]
        if way["at"] in (self.ways["sysenter"]["at"], self.ways["sysenter32"]["at"]) and vector == 6:
            want[0] = 6			# AMD
        got = [vector, error, rip, cs, flags & ~RF, rsp, ss]
        if got != want:
            raise Wrong("the trap's frame is %s, not %s" % (
                " ".join("%x" % w for w in got), " ".join("%x" % w for w in want)))
        g.write(at, struct.pack("<7Q", labels.ABORTED, 0, self.guest["check"], 0x33, FLAGS, STACK, 0x2b))

    def counted(self):
        n = self.notes() - self.count
        if n < 1 and self.event_vector == NMI:	# a machine check that is lost is fatal
            raise Wrong("NMI lost: no handler of the Host ran")
        return n


class Drive:
    def __init__(self, opts):
        self.opts = opts
        self.bench = Bench(opts)
        self.seen = {}			# kind of path -> boundaries
        self.random = random.Random(opts.seed)
        self.done = {}			# offset -> [(how, result)]
        self.failed = []
        self.total = 0
        self.held = 0
        self.age = 0
        self.reload = 0
        self.whose = 0
        for o, (name, text) in self.bench.listing.insns.items():
            m = re.fullmatch(r"mov %rsi,(0x[0-9a-f]+)\(%rdi\)", text)
            if m and name.startswith(labels.ENTER):
                self.whose = int(m.group(1), 16)

    def fail(self, addr, how, why):
        b = self.bench
        text = "%s (%s): %s" % (b.where(addr), how, why)
        self.failed.append((addr - SW, text))
        print("FAILED " + text, flush=True)
        if "gone" in why or "stopped with" in why or "pipe" in why:
            print(b.log()[-600:])
        if len(self.failed) >= self.opts.failures:
            raise SystemExit("enough")

    def attempt(self, addr, how, setup, held=False):
        """setup() brings the machine near; then there, the NMI, and the verdict."""
        b = self.bench
        try:
            setup()
            b.to(addr)
            result = b.inject(addr, held)
            b.finish()
            b.counted()
            self.done.setdefault(addr - SW, []).append((how, result))
            self.total += 1
            self.held += result != "delivered"
            self.age += 1
            if self.age >= self.opts.life:
                self.age = 0
                b.leave()
                b.live()
        except (Wrong, Dead, Hang) as e:
            self.fail(addr, how, str(e))
            b.kill()
            self.age = 0
            self.bench = Bench(self.opts)

    def walk(self, setup, until=None):
        """The boundaries from setup's on, until the Switcher is left."""
        b = self.bench
        path = []
        setup()
        regs = b.gdb.regs()
        depth = b.gdb.words(regs["rsp"] + 24)[0] if until else None
        while SW <= regs["rip"] < SW_END and (regs["rip"], regs["rsp"]) != (until, depth):
            path.append(regs["rip"])
            if regs["rip"] == b.ret:
                break
            if len(path) > LONG:
                raise Wrong("no way home, at %s" % b.where(regs["rip"]))
            b.gdb.step()
            regs = b.gdb.regs()
        b.finish()
        return list(dict.fromkeys(path))

    def scenario(self, how, setup, until=None, held=False, kind="way"):
        """An NMI at each boundary of a path; of those that another path of the
        same kind has had already, a sample."""
        t, n = time.time(), self.total
        if how in SHORT:			# a first time with gaps in the shadow
            self.walk(setup)
        path = self.walk(setup, until)
        if how in SHORT and self.bench.ret in path:
            raise Wrong("%s goes by way of the Host" % how)
        seen = self.seen.setdefault(kind, set())
        some = [a for a in path if a not in seen or self.opts.all or self.random.random() < self.opts.share]
        seen.update(some)
        for a in some:
            self.attempt(a, how, setup, held)
        print("%-44s %4d boundaries, %4d NMIs, %.1f s" % (
            how, len(path), self.total - n, time.time() - t), flush=True)

    # What brings the machine where, each from "again".

    def at_gate(self, way):
        self.bench.aim(way)

    def after_gate(self, way):
        b = self.bench
        b.aim(way)
        for _ in range(3):			# the stub may stop before anything happened
            b.gdb.step()
            if b.gdb.regs()["rip"] != b.way["at"]:
                break

    def at_enter(self):
        b = self.bench
        self.after_gate("hypercall")
        rdi = b.go(b.enter)["rdi"]
        if self.whose:			# as if another vCPU had been here before
            b.gdb.write(rdi + self.whose, struct.pack("<Q", 0xffff80007ffff000))

    def in_way_in(self, addr):
        self.at_enter()
        self.bench.to(addr)

    def in_way_out(self, addr, way="hypercall"):
        self.after_gate(way)
        self.bench.to(addr)

    def interrupt(self, vector):
        b = self.bench
        b.aim("spin")
        for _ in range(20):
            b.msi(vector)
            for _ in range(4):			# the APIC is asked first, which counts as a step
                b.gdb.step(events=True)
                rip = b.gdb.regs()["rip"]
                if rip != b.way["at"]:
                    break
            if rip == b.gates[vector]:
                return
            if SW <= rip < SW_END:		# another one was first
                b.go(b.again, b.wrong)
            b.aim("spin")
        raise Wrong("interrupt %d does not come, RIP is %s" % (vector, b.where(rip)))

    def forged(self, vector, error):
        self.bench.aim("spin")
        self.bench.forge(vector, error)

    def then(self, what, setup):
        """setup(), and there an NMI or a machine check: at its stub."""
        b = self.bench
        setup()
        b.gdb.monitor("nmi" if what == NMI else MCE[self.opts.pti])
        b.event(b.gates[what])

    def ways_in_and_out(self):
        b = self.bench
        self.scenario("the way in", self.at_enter)
        for way in b.ways:
            if way not in ("spin", "driven"):
                self.scenario(way, lambda: self.after_gate(way))

    def interrupts(self):
        """Every vector of a device, by real messages but for those that Linux would
        not survive (INT 80h, reboot) or not acknowledge (the old PIC's lines, 255)."""
        t, n = time.time(), self.total
        self.scenario("an interrupt, vector 200", lambda: self.interrupt(200))
        for v in range(FIRST_IRQ, 256):
            if v in (0x80, 0xf8, 0xff) or 0x30 <= v < 0x40:
                self.stub("vector %d, by the debugger" % v, lambda: self.forged(v, None))
            else:
                self.stub("interrupt %d" % v, lambda: self.interrupt(v))
        print("%-44s %4d boundaries, %4d NMIs, %.1f s" % (
            "interrupts 32 to 255", 0, self.total - n, time.time() - t), flush=True)

    def stub(self, how, setup):
        """Only what is a vector's own: up to the common code."""
        b = self.bench
        setup()
        addr, path = b.gdb.regs()["rip"], []
        for o in sorted(b.listing.insns):
            if o >= addr - SW and b.listing.name(o).split("+")[0] == b.listing.name(addr - SW):
                path.append(SW + o)
        b.finish()
        for a in path:
            self.attempt(a, how, setup)

    def exceptions(self):
        """Vectors that no Guest of ours can raise here, by the debugger."""
        real = {w["vector"] for w in self.bench.ways.values()} | {NMI, DF, MC}
        t, n = time.time(), self.total
        for v in range(FIRST_IRQ):
            if v not in real:
                self.stub("vector %d, by the debugger" % v,
                          lambda: self.forged(v, 0x5a5a if labels.WITH_ERROR >> v & 1 else None))
        print("%-44s %4d boundaries, %4d NMIs, %.1f s" % (
            "exceptions by the debugger", 0, self.total - n, time.time() - t), flush=True)
        self.scenario("#DF from ring 3, by the debugger", lambda: self.forged(DF, 0))

    def own_stacks(self):
        """NMI and #MC, from both rings, into each other and into #DB."""
        b = self.bench
        common, restore = b.labels[labels.TRAP], b.labels[labels.RESTORE]
        out = self.walk(lambda: self.after_gate("hypercall"))
        early = out[out.index(common) + 8]
        late = out[out.index(restore) + 8]
        way_in = self.walk(self.at_enter)
        host_stack = next(a for a in way_in if b.listing.insns[a - SW][1].startswith("lgdt"))
        before = way_in[8]
        step = self.walk(lambda: self.after_gate("step"))
        inner = step[12]
        at_spin = lambda: self.at_gate("spin")
        look = b.labels[labels.LOOK_IRET]
        places = (
            ("at the last look, at IRETQ", lambda: self.in_way_out(look, "return"), None),
            ("in ring 3", at_spin, None),
            ("on the way out", lambda: self.in_way_out(early), early),
            ("on the way home", lambda: self.in_way_out(late), None),
            ("before LIDT", lambda: self.in_way_in(before), before),
            ("on the Host's IST stack", lambda: self.in_way_in(host_stack), None),
            ("inside #DB", lambda: self.in_way_out(inner, "step"), inner),
        )
        for name, setup, until in places:
            for what, held in ((NMI, True), (MC, False)):
                if name == "before LIDT":
                    continue
                self.scenario("%s %s" % ("NMI" if what == NMI else "#MC", name),
                              lambda: self.then(what, setup), until, held, kind=what)
        # A machine check inside the NMI's path: it must not open NMIs.
        nmi = self.walk(lambda: self.then(NMI, at_spin))
        inside = nmi[12]
        self.scenario("#MC inside the NMI's path",
                      lambda: self.then(MC, lambda: self.nmi_at(at_spin, inside)), inside, held=True)
        after = out[out.index(early) + 1]
        self.scenario("#DB on the way out, TF by the debugger",
                      lambda: self.trace(lambda: self.in_way_out(early)), after)

    def nmi_at(self, setup, addr):
        self.then(NMI, setup)
        self.bench.to(addr)

    def trace(self, setup):
        """TF for one instruction of the Switcher: a #DB from ring 0."""
        b, g = self.bench, self.bench.gdb
        setup()
        regs = g.regs()
        g.set_regs(dict(regs, eflags=regs["eflags"] | TF))
        g.step()
        if g.regs()["rip"] != b.gates[DB]:
            g.step()
        regs = g.regs()
        if regs["rip"] != b.gates[DB]:
            raise Wrong("TF led to %s" % b.where(regs["rip"]))
        flags = g.words(regs["rsp"] + 16)[0]
        g.write(regs["rsp"] + 16, struct.pack("<Q", flags & ~TF))

    def rare_branches(self):
        """Branches for features that this processor has not: told that it has."""
        b = self.bench
        m = None
        for o, (name, text) in sorted(b.listing.insns.items()):
            m = m or re.match(r"testl \$0x2,(0x[0-9a-f]+)\(%rdi\)", text)
        if not m:
            return
        at = int(m.group(1), 16)

        def with_pebs(inner):
            self.at_enter()
            flags = b.gdb.regs()["rdi"] + at
            old = b.gdb.read(flags, 4)
            b.gdb.write(flags, bytes([old[0] | 6]) + old[1:])	# PEBS, and VERW
            b.undo = lambda: b.gdb.write(flags, old)
            inner()

        with_pebs(lambda: None)
        self.monitors()
        self.scenario("the way in with PEBS and VERW", lambda: with_pebs(lambda: None))
        self.scenario("the way out with PEBS",
                      lambda: with_pebs(lambda: b.go(b.labels[labels.RESTORE])))
        self.kernels_traces(b.idt + 0x1000 + at)
        self.keeps()

    def kernels_traces(self, flags):
        """A return to a program clears the buffers, if the processor has some."""
        g = self.bench.gdb
        old = g.read(flags, 4)

        def returning():
            self.after_gate("return")
            self.bench.gdb.write(flags, bytes([old[0] | 4]) + old[1:])

        path = []
        for _ in range(2):			# a first time with gaps in the shadow
            path = self.walk(returning)
        texts = [self.bench.listing.insns[a - SW][1] for a in path]
        roots = [i for i, text in enumerate(texts) if text.endswith(",%cr3")]
        if texts[-1].split()[0] != "iretq" or not any(
                text.startswith("verw") for text in texts[roots[-1]:]):
            raise Wrong("a return to a program does not clear the buffers")
        self.scenario("a return with VERW", returning)
        self.bench.gdb.write(flags, old)

    def keeps(self):
        """Both roots of the short way: the bit that keeps translations comes after the
        first load.  QEMU has no PCIDs, so we take a bit that means nothing to it."""
        b, g, keep = self.bench, self.bench.gdb, 8
        insns = b.listing.insns
        offsets = sorted(insns)
        loads = [o for o in offsets if insns[o][1] == "mov %rcx,%cr3"]
        if len(loads) != 3:
            raise Wrong("%d roots are loaded on the short way" % len(loads))
        for o in loads:
            i = offsets.index(o)
            root, new, add = (re.search(r"(-?0x[0-9a-f]+)\(%rsp\)", insns[offsets[n]][1])
                              for n in (i - 1, i + 1, i + 2))
            if not (root and new and add) or root.group(1) != add.group(1):
                raise Wrong("a root is loaded in another way than before")
            way = ("call", "return", "fault")[loads.index(o)]
            self.walk(lambda: self.after_gate(way))
            self.after_gate(way)
            b.to(SW + offsets[i - 1])
            sp = g.regs()["rsp"]
            at, bit = sp + int(root.group(1), 16), sp + int(new.group(1), 16)
            before, none = g.words(at)[0], g.words(bit)[0]
            g.write(bit, struct.pack("<Q", keep))
            b.to(SW + offsets[i + 3])
            cr3 = int(re.search("CR3=([0-9a-f]*)", g.monitor("info registers")).group(1), 16)
            after = g.words(at)[0]
            g.write(at, struct.pack("<Q", before))
            g.write(bit, struct.pack("<Q", none))
            if (cr3, after) != (before, before | keep):
                raise Wrong("%s loads %#x for %#x, and next time %#x" % (way, cr3, before, after))
            b.finish()

    def monitors(self):
        """What watches the kernel: read, switched off, and written back as it was
        read.  QEMU keeps none of it, so we are the memory of these MSRs."""
        b, g = self.bench, self.bench.gdb
        value = {0x1d9: 0x5a015a02, 0x3f1: 0x5a035a04}	# DEBUGCTL, PEBS_ENABLE
        host = dict(value)
        for _ in range(LONG):
            regs = g.regs()
            if regs["rip"] == b.iret and any(value.values()):
                raise Wrong("the Guest runs with %s" % value)
            if regs["rip"] == b.ret:
                break
            insn, msr = b.listing.insns[regs["rip"] - SW][1], regs["rcx"]
            if regs["rip"] == b.iret:
                b.go(b.labels[labels.TRAP])
                continue
            g.step()
            if msr in value and insn == "wrmsr":
                value[msr] = regs["rdx"] << 32 | regs["rax"]
            elif msr in value and insn == "rdmsr":
                g.set_regs(dict(g.regs(), rax=value[msr] & 0xffffffff, rdx=value[msr] >> 32))
        if value != host or regs["rip"] != b.ret:
            raise Wrong("the Host had %s and has %s" % (host, value))
        b.finish()

    def barriers(self):
        """INT3 after RET never runs, nor after a CALL that fills the return stack:
        the debugger goes there."""
        b, g = self.bench, self.bench.gdb
        for o in sorted(b.listing.insns):
            if b.listing.insns[o][1] != "int3":
                continue
            addr = SW + o
            how = "RIP by the debugger"
            before = max(x for x in b.listing.insns if x < o) + SW	# the RET or CALL
            inside = b.labels[labels.IST] <= addr < b.labels[labels.IST_END]
            try:
                if inside:
                    early = b.labels[labels.TRAP]
                    step = self.walk(lambda: self.after_gate("step"))
                    self.then(NMI, lambda: self.in_way_out(step[12], "step"))
                    # NMIs are held back there; a machine check's path does it too.
                    self.bench.finish()
                    self.then(MC, lambda: self.in_way_out(step[12], "step"))
                    b.to(before)
                else:
                    self.in_way_out(before)
                g.set_regs(dict(g.regs(), rip=addr))
                result = b.inject(addr)
                if "ret" in b.listing.insns[before - SW][1]:
                    b.go(addr)
                    g.set_regs(dict(g.regs(), rip=before))
                b.finish()			# a CALL is on the way home, which begins again
                b.counted()
                self.done.setdefault(o, []).append((how, result))
                self.total += 1
            except (Wrong, Dead, Hang) as e:
                self.fail(addr, how, str(e))
                b.kill()
                self.bench = b = Bench(self.opts)
                g = b.gdb

    def bugs(self, few=0):
        """A fault of the Switcher's own IRETQ; each costs the module."""
        b = self.bench
        b.leave()

        def broken_iret():
            b = self.bench
            b.gdb.read(b.here, 1)
            b.choose(dict(b.ways["driven"], error=BUG), driven=1, reload=self.reload)
            self.reload = 1
            b.count = b.notes()
            b.go(b.iret)
            sp = b.gdb.regs()["rsp"]
            b.gdb.write(sp + 8, struct.pack("<Q", 0x7b))	# CS beyond the GDT
            for _ in range(3):
                b.gdb.step()
                if b.gdb.regs()["rip"] != b.iret:
                    break
        path = []
        broken_iret()
        rip = b.gdb.regs()["rip"]
        while rip != b.ret:
            if len(path) > LONG:
                raise Wrong("no way home from a fault of IRETQ, at %s" % b.where(rip))
            path.append(rip)
            b.gdb.step()
            rip = b.gdb.regs()["rip"]
        b.land()
        t, n = time.time(), self.total
        shared = b.labels[labels.RESTORE]		# had by every way out already
        start = path.index(shared)
        some = path[:start + 1] + self.random.sample(path[start + 1:], 5) + [b.ret]
        for a in self.random.sample(some, few) if few else some:
            b = self.bench
            how = "a fault of IRETQ"
            try:
                broken_iret()
                b.to(a)
                result = b.inject(a)
                b.land()
                b.counted()
                self.done.setdefault(a - SW, []).append((how, result))
                self.total += 1
            except (Wrong, Dead, Hang) as e:
                self.fail(a, how, str(e))
                b.kill()
                self.bench = Bench(self.opts)
                self.bench.leave()
                self.reload = 0
        # A second bug, on the first one's way home, stops the processor there.
        b = self.bench
        broken_iret()
        b.to(shared)
        b.forge(13, 0)
        b.gdb.stop_at(b.here)
        try:
            b.gdb.cont(timeout=1)
        except Hang:
            b.gdb.interrupt()
        b.gdb.forget(b.here)
        stop = b.gdb.regs()["rip"]
        if stop != SW + b.listing.find("jne", b.listing.labels[labels.BUG]):
            raise Wrong("after a second bug we are at %s" % b.where(stop))
        b.gdb.set_regs(dict(b.gdb.regs(), rip=shared))
        b.land()
        print("%-44s %4d boundaries, %4d NMIs, %.1f s" % (
            "a fault of the Switcher's IRETQ", len(path), self.total - n, time.time() - t), flush=True)
        self.bench.live(reload=1)

    def inspect(self):
        """What must hold in ring 0 beyond the order of things."""
        b, g = self.bench, self.bench.gdb
        info = g.monitor("info registers")
        if not re.search(r"DR7=0{13}400", info):
            raise Wrong("the Guest runs with breakpoints: " + re.search("DR7=[0-9a-f]*", info).group(0))
        if not re.search(r"LDT=0000", info):
            raise Wrong("the Guest runs with a local descriptor table")
        for way in b.ways:
            if way in ("spin", "driven") + SHORT:
                continue
            self.after_gate(way)
            regs = g.regs()
            if regs["eflags"] & (0x200 | TF | (0x44400 if b.where(regs["rip"]).startswith("switcher_sys") else 0)):
                raise Wrong("%s enters ring 0 with RFLAGS %#x" % (way, regs["eflags"]))
            if way == "step":
                b.go(SW + b.listing.find("rep movs", 0))
                regs = g.regs()
                if regs["eflags"] & (DF_FLAG | 0x40000):
                    raise Wrong("%s copies with RFLAGS %#x" % (way, regs["eflags"]))
            regs = b.go(b.labels[labels.RESTORE])
            if regs["eflags"] & (DF_FLAG | 0x40000):
                raise Wrong("%s goes home with RFLAGS %#x" % (way, regs["eflags"]))
            for r in "rbx rbp r8 r9 r10 r11 r12 r13 r14 r15".split():
                if regs[r]:
                    raise Wrong("%s goes home with the Guest's %s" % (way, r))
            regs = b.go(b.ret)
            if (regs["cs"], regs["ss"]) != (0x10, 0x18):
                raise Wrong("%s is at home with CS %#x and SS %#x" % (way, regs["cs"], regs["ss"]))
            b.finish()
        # What a function in C may keep in registers over a call.
        self.at_enter()
        regs = g.regs()
        kept = {r: self.random.getrandbits(64) for r in "rbx rbp r12 r13 r14 r15".split()}
        g.set_regs(dict(regs, **kept))
        home = b.go(b.ret)
        for r in kept:
            if home[r] != kept[r]:
                raise Wrong("the Host's %s does not come home" % r)
        if home["rsp"] != regs["rsp"]:
            raise Wrong("the Host's stack pointer was %#x and is %#x" % (regs["rsp"], home["rsp"]))
        g.set_regs(dict(home, **{r: regs[r] for r in kept}))
        b.finish()
        # On Linux's NMI stack the seventh word is Linux's: is an NMI being executed?
        self.then(NMI, lambda: self.in_way_in(SW + b.listing.find("lgdt", b.listing.labels[labels.ENTER])))
        word = g.regs()["rsp"] - 16
        if SW <= word < SW_END + (1 << 39):
            raise Wrong("an NMI before LTR is on a stack of ours")
        b.go(b.labels[labels.RESTORE])
        if g.words(word)[0]:
            raise Wrong("Linux's NMI stack says %d, executing" % g.words(word)[0])
        b.finish()
        # A trap of ring 0, the stack still the Guest's, which DR6 must not remember.
        self.trace(lambda: self.after_gate("hypercall"))
        b.go(b.labels[labels.RESTORE])
        dr6 = re.search("DR6=([0-9a-f]*)", g.monitor("info registers")).group(1)
        if int(dr6, 16) != 0xffff0ff0:
            raise Wrong("a #DB of the Switcher's leaves DR6 %s" % dr6)
        b.finish()

    def plain(self):
        """Each way as a whole life, without us: the Launcher judges."""
        b = self.bench
        rides = lambda: b.gdb.words(b.ride["ride"] + RIDES)[0]
        b.leave()
        for name, way in b.ways.items():
            if name != "driven":
                n = rides()
                b.choose(way)
                try:
                    b.go(b.enter)	# where we are is also where a life ends
                    b.land()
                except Wrong as e:
                    raise Wrong("%s: %s" % (name, e)) from None
                if rides() != n + 1:
                    raise Wrong("%s: the Launcher has ridden %d times" % (name, rides() - n))
        b.live()

    def quick(self):
        """What the mutants have to pass: a few seconds, at the first failure red."""
        self.opts.share = .1
        self.inspect()
        self.plain()
        self.scenario("the way in", self.at_enter)
        self.scenario("hypercall", lambda: self.after_gate("hypercall"))
        for way in ("step", "syscall32", "page") + SHORT:
            self.scenario(way, lambda: self.after_gate(way))
        self.scenario("an interrupt, vector 200", lambda: self.interrupt(200))
        self.own_stacks()
        self.rare_branches()
        self.bugs(few=4)

    def everything(self):
        for part in self.opts.only or ("inspect", "plain", "ways_in_and_out", "interrupts", "exceptions", "own_stacks",
                                       "rare_branches", "barriers", "bugs"):
            getattr(self, part)()

    def report(self):
        b = self.bench
        insns = b.listing.insns
        missed = [o for o in insns if o not in self.done]
        with open(self.opts.listing, "w") as f:
            for o in sorted(insns):
                name, text = insns[o]
                ways = list(dict.fromkeys("%s: %s" % w for w in self.done.get(o, [])))
                print("%4x %-30s %-34s %s" % (o, name, text, "; ".join(ways) or "-"), file=f)
        bad = {o for o, t in self.failed}
        for o in missed[:20] if not self.failed and not self.opts.only else ():
            print("not reached: %s" % insns[o][0])
        held = [o for o, ways in self.done.items() if all(r != "delivered" for h, r in ways)]
        forged = [o for o, ways in self.done.items() if all("debugger" in h for h, r in ways)]
        print("only where the processor holds NMIs back, counted when it lets them in: %s" % (
            ", ".join(b.listing.name(o) for o in sorted(held)) or "none"))
        print("%d instructions that no event reaches here were entered by the debugger: see %s" % (
            len(forged), os.path.relpath(self.opts.listing, TOP)))
        print("%d NMIs sent, %d of them where the processor held them back" % (self.total, self.held))
        print("nmi-everywhere: %d of %d" % (len(insns) - len(set(missed) | bad & set(insns)), len(insns)))
        return not self.failed and bool(self.opts.only or not missed)

    def run(self):
        t = time.time()
        print("seed %d" % self.opts.seed, flush=True)
        try:
            self.everything()
            self.bench.end()
        except (Wrong, Dead, Hang) as e:
            self.failed.append((-1, str(e)))
            print("FAILED between two NMIs: %s\n%s" % (e, self.bench.log()[-600:]))
        finally:
            ok = self.report()
            print("%.0f s" % (time.time() - t))
            self.bench.kill()
        return ok


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--module", default=os.path.join(TOP, "kmod", "lg.ko"))
    p.add_argument("--out", default=os.path.join(TOP, "build", "nmi"))
    p.add_argument("--kver", help="the kernel of the Host, and of both modules")
    p.add_argument("--pti", default="off", choices=("on", "off"))
    p.add_argument("--limit", type=int, default=900, help="seconds for one QEMU")
    p.add_argument("--patience", type=float, default=60, help="seconds for one ride")
    p.add_argument("--failures", type=int, default=5, help="stop after so many")
    p.add_argument("--seed", type=int, default=int(time.time()))
    p.add_argument("--life", type=int, default=50, help="NMIs in the life of one Guest")
    p.add_argument("--listing", default=None, help="where to write the whole listing")
    p.add_argument("--event", default="nmi", choices=("nmi", "mc"), help="mc: machine checks instead")
    p.add_argument("--all", action="store_true", help="every path whole, for the soak")
    p.add_argument("--only", action="append", help="one part of the drive, for example interrupts")
    p.add_argument("--keep", action="store_true", help="leave the serial line's log")
    p.add_argument("--boot", action="append", default=[], help="more for ci/boot")
    opts = p.parse_args()
    opts.share = .15
    # A check that runs out of time takes its machine along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    opts.listing = opts.listing or os.path.join(opts.out, "listing")
    try:
        return 0 if Drive(opts).run() else 1
    except NoStart as e:
        print("the Host of the test does not start: %s" % e)
        return 2


if __name__ == "__main__":
    sys.exit(main())
