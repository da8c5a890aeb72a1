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
SW = labels.WINDOW
WAY = struct.Struct("<8Q")
NMI, MC, DB, DF = 2, 18, 1, 8


class Wrong(Exception):
    """Something was not as it should be after an NMI."""


class Bench:
    """One booted Host, stopped between two rides."""

    def __init__(self, opts):
        self.opts = opts
        self.dir = tempfile.mkdtemp(prefix="lguest.nmi.")
        self.serial = open(os.path.join(self.dir, "serial"), "w+", errors="replace")
        out = opts.out
        self.guest = symbols(os.path.join(out, "guest"))
        self.ride = symbols(os.path.join(out, "ride"))
        self.ways = self.read_ways(os.path.join(out, "guest.bin"))
        sock = os.path.join(self.dir, "gdb")
        cmd = [os.path.join(TOP, "ci", "boot"), "--append", "nokaslr", "--stopped",
               "--timeout", str(opts.limit), "--gdb", sock, "--module", opts.module,
               "--pti", opts.pti, "--mem", "256"]
        for f in ("ride", "nmitest.ko"):
            cmd += ["--add", "%s:/lg/%s" % (os.path.join(out, f), f)]
        cmd += opts.boot + ["--", os.path.join(TOP, "ci", "nmi", "host.sh")]
        self.proc = subprocess.Popen(cmd, stdout=self.serial, stderr=subprocess.STDOUT,
                                     stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            self.start(sock)
        except BaseException:
            self.kill()
            raise

    def start(self, sock):
        self.gdb = g = Gdb(sock)
        self.here = self.ride["checkpoint_here"]
        g.run_to(self.here, timeout=self.opts.limit)
        m = re.search(r"nmitest: notes at ([0-9a-f]+)", self.log())
        if not m:
            raise Dead("nmitest has not said where its notes are")
        self.notes_at = int(m.group(1), 16)
        self.host_idt = self.table("IDT")
        self.count = self.notes()[0]
        # In the Guest: our own IDT tells where each vector's stub is.
        self.begin("spin")
        self.idt = self.table("IDT")
        gates = [struct.unpack("<HHBBHII", g.read(self.idt + 16 * v, 16)) for v in range(256)]
        self.gates = {v: (x[0] | x[4] << 16 | x[5] << 32) for v, x in enumerate(gates)}
        self.ist = {v: x[2] & 7 for v, x in enumerate(gates)}
        tss = self.table("TR ")
        self.rsp0 = g.words(tss + 4)[0]
        self.stacks = {i: g.words(tss + 0x24 + 8 * (i - 1))[0] for i in range(1, 8)}
        text = b"".join(g.read(SW + i, 1024) for i in range(0, 4096, 1024))
        self.listing = Listing(self.opts.module, text, {v: a - SW for v, a in self.gates.items()})
        self.labels = {n: SW + a for n, a in self.listing.labels.items()}
        self.finish()
        self.begin("spin", at_gate=False)
        self.go(self.labels[labels.ENTER])
        gate = struct.unpack("<HHBBHII", g.read(self.host_idt + 16 * NMI, 16))
        self.host_nmi = gate[0] | gate[4] << 16 | gate[5] << 32
        self.finish()

    def read_ways(self, path):
        data, ways = open(path, "rb").read(), {}
        begin = {a: n for n, a in self.guest.items() if n.startswith("begin_")}
        for at in range(0, len(data), WAY.size):
            way = WAY.unpack_from(data, at)
            if not way[0]:
                break
            ways[begin[way[0]][6:]] = way
        return ways

    def log(self):
        self.serial.flush()
        with open(self.serial.name, errors="replace") as f:
            return f.read()

    def table(self, name):
        info = self.gdb.monitor("info registers")
        m = re.search(r"%s\s*=\s*(?:[0-9a-f]{4} )?([0-9a-f]{16})" % name, info)
        return int(m.group(1), 16)

    def notes(self):
        self.gdb.physical(1)
        notes = struct.unpack("<3Q", self.gdb.read(self.notes_at, 24))
        self.gdb.physical(0)
        return notes

    # One ride.

    def begin(self, way, at_gate=True):
        """From checkpoint to the instruction of the Guest that leaves it."""
        g = self.gdb
        self.way = self.ways[way]
        g.write(self.ride["ride"] + 32, WAY.pack(*self.way))
        self.count = self.notes()[0]
        if at_gate:
            self.go(self.way[1])

    def expect(self, **kw):
        """The Guest will end otherwise than the way says by itself."""
        names = "begin at stop vector error cr2 cs flags".split()
        self.way = tuple(kw.get(n, v) for n, v in zip(names, self.way))
        self.override = WAY.pack(*self.way)

    def go(self, *addrs):
        regs = self.gdb.run_to(*addrs, timeout=self.opts.patience)
        if regs["rip"] not in addrs:
            raise Wrong("stopped at %#x" % regs["rip"])
        return regs

    def finish(self):
        """Let the ride end and hear the Launcher's verdict."""
        g = self.gdb
        try:
            self.go(self.here)
        except Hang:
            g.interrupt()
            r = g.regs()
            raise Hang("hang: RIP %#x CS %#x RFLAGS %#x" % (r["rip"], r["cs"], r["eflags"])) from None
        if g.words(self.ride["ride"] + 16)[0]:
            why = g.read(self.ride["ride"] + 32 + WAY.size, 160).split(b"\0")[0].decode()
            raise Wrong(why)

    def inject(self, where):
        """Here and now.  The frame must say that it was here."""
        g = self.gdb
        g.monitor("nmi")
        for _ in range(3):
            g.step(events=True)
            regs = g.regs()
            if regs["rip"] != where:	# else the stub stopped before anything happened
                break
        if regs["rip"] not in (self.gates[NMI], self.host_nmi):
            raise Wrong("the NMI led to %s" % self.where(regs["rip"]))
        frame = g.words(regs["rsp"], 5)
        if frame[0] != where:
            raise Wrong("its frame says %#x" % frame[0])
        return regs

    def counted(self):
        n = self.notes()[0] - self.count
        if n < 1:
            raise Wrong("NMI lost: no handler of the Host ran")
        return n

    def where(self, rip):
        if SW <= rip < SW + 0x1000:
            return self.listing.name(rip - SW)
        return "%#x" % rip

    def end(self):
        self.gdb.write(self.ride["ride"], struct.pack("<Q", 1))
        self.gdb.send("D")
        try:
            status = self.proc.wait(60)
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


class Drive:
    def __init__(self, opts):
        self.opts = opts
        self.bench = Bench(opts)
        self.done = {}			# offset -> [(how, result)]
        self.failed = []
        self.total = 0

    def note(self, addr, how, result="delivered"):
        self.done.setdefault(addr - SW, []).append((how, result))
        self.total += 1

    def fail(self, addr, how, why):
        b = self.bench
        text = "%s (%s): %s" % (b.where(addr), how, why)
        self.failed.append((addr - SW, text))
        print("FAILED " + text, flush=True)
        if len(self.failed) >= self.opts.failures:
            raise SystemExit("enough")

    def attempt(self, addr, how, act):
        """act() brings the ride to addr; then the NMI; then the verdict."""
        b = self.bench
        try:
            act()
            b.inject(addr)
            b.finish()
            b.counted()
            self.note(addr, how)
        except Wrong as e:
            self.fail(addr, how, str(e))
            self.recover()
        except (Dead, Hang) as e:
            self.fail(addr, how, str(e))
            b.kill()
            self.bench = Bench(self.opts)

    def recover(self):
        b = self.bench
        try:
            if b.gdb.regs()["rip"] != b.here:
                b.go(b.here)
        except (Wrong, Dead, Hang):
            b.kill()
            self.bench = Bench(self.opts)

    # The ways.

    def walk_out(self, way):
        """The instructions from the Guest's last one to the Host's first."""
        b, path = self.bench, []
        b.begin(way)
        while True:
            b.gdb.step()
            rip = b.gdb.regs()["rip"]
            if not SW <= rip < SW + 0x1000:
                break
            path.append(rip)
        b.finish()
        return path

    def walk_in(self):
        b, path = self.bench, []
        b.begin("spin", at_gate=False)
        rip = b.go(b.labels[labels.ENTER])["rip"]
        while SW <= rip < SW + 0x1000:
            path.append(rip)
            b.gdb.step()
            rip = b.gdb.regs()["rip"]
        b.finish()
        return path

    def to_way_in(self, addr):
        b = self.bench
        b.begin("spin", at_gate=False)
        b.go(b.labels[labels.ENTER])
        if addr != b.labels[labels.ENTER]:
            b.go(addr)

    def to_way_out(self, way, addr):
        b = self.bench
        b.begin(way)
        b.gdb.step()
        if b.gdb.regs()["rip"] != addr:
            b.go(addr)

    def ways_in_and_out(self):
        for a in self.walk_in():
            self.attempt(a, "the way in", lambda: self.to_way_in(a))
        for way in self.bench.ways:
            if way == "spin":
                continue
            path = self.walk_out(way)
            for a in dict.fromkeys(path):
                self.attempt(a, way, lambda: self.to_way_out(way, a))

    def report(self):
        b = self.bench
        insns = b.listing.insns
        missed = [o for o in insns if o not in self.done]
        for o in sorted(insns):
            name, text = insns[o]
            ways = self.done.get(o, [])
            print("%4x %-32s %-34s %s" % (o, name, text,
                  ", ".join(dict.fromkeys("%s: %s" % w for w in ways)) or "-"))
        print("%d NMIs sent" % self.total)
        bad = {o for o, t in self.failed}
        print("nmi-everywhere: %d of %d" % (len(insns) - len(missed) - len(bad), len(insns)))
        return not missed and not self.failed

    def run(self):
        t = time.time()
        try:
            self.ways_in_and_out()
            self.bench.end()
        finally:
            ok = self.report()
            print("%.0f s" % (time.time() - t))
            self.bench.kill()
        return ok


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--module", default=os.path.join(TOP, "kmod", "lg.ko"))
    p.add_argument("--out", default=os.path.join(TOP, "build", "nmi"))
    p.add_argument("--pti", default="off", choices=("on", "off"))
    p.add_argument("--limit", type=int, default=900, help="seconds for one QEMU")
    p.add_argument("--patience", type=float, default=10, help="seconds for one ride")
    p.add_argument("--failures", type=int, default=5, help="stop after so many")
    p.add_argument("--keep", action="store_true", help="leave the serial line's log")
    p.add_argument("--boot", action="append", default=[], help="more for ci/boot")
    opts = p.parse_args()
    return 0 if Drive(opts).run() else 1


if __name__ == "__main__":
    sys.exit(main())
