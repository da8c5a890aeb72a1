# SPDX-License-Identifier: GPL-2.0-only
"""The debugger's side of a QEMU: the gdb remote protocol over a Unix socket."""
import os
import re
import socket
import struct
import time

REGS = ("rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip "
        "eflags cs ss ds es fs gs").split()
LAYOUT = struct.Struct("<17Q7I")


class Dead(Exception):
    """The machine is gone: it panicked, or the processor gave up."""


class Hang(Exception):
    """Nothing happened for longer than anything takes."""


class Gdb:
    def __init__(self, path, patience=300):
        end = time.time() + patience
        while True:
            try:
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.connect(path)
                break
            except OSError:
                if time.time() > end:
                    raise
                time.sleep(.02)
        self.pid = struct.unpack("3i", self.sock.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        self.buf = b""
        self.flags = None
        self.command("qSupported")

    def send(self, packet):
        data = packet.encode()
        try:
            self.sock.sendall(b"$" + data + b"#%02x" % (sum(data) & 255))
        except OSError as e:
            raise Dead(str(e)) from None

    def receive(self, timeout=60):
        end = time.time() + timeout
        while True:
            m = re.search(rb"\$([^#]*)#..", self.buf)
            if m:
                self.buf = self.buf[m.end():]
                try:
                    self.sock.sendall(b"+")
                except OSError as e:
                    raise Dead(str(e)) from None
                return m.group(1).decode()
            self.sock.settimeout(max(.001, end - time.time()))
            try:
                data = self.sock.recv(65536)
            except (socket.timeout, BlockingIOError):
                return None
            except OSError as e:
                raise Dead(str(e)) from None
            if not data:
                raise Dead("the machine is gone")
            self.buf += data

    def command(self, packet, timeout=60):
        self.send(packet)
        reply = self.receive(timeout)
        if reply is None:
            raise Hang("no answer to " + packet[:20])
        return reply

    def monitor(self, line):
        self.send("qRcmd," + line.encode().hex())
        out = ""
        while True:
            reply = self.receive(60)
            if reply is None or reply == "OK" or reply.startswith("E"):
                return out
            if reply.startswith("O"):
                out += bytes.fromhex(reply[1:]).decode(errors="replace")

    # Registers and memory.

    def regs(self):
        reply = self.command("g")
        if len(reply) < LAYOUT.size * 2:	# it ended, and says that instead
            raise Dead("no registers: " + reply[:12])
        raw = bytes.fromhex(reply[:LAYOUT.size * 2])
        return dict(zip(REGS, LAYOUT.unpack(raw)))

    def set_regs(self, regs):
        raw = LAYOUT.pack(*(regs[r] for r in REGS))
        if self.command("G" + raw.hex()) != "OK":
            raise Dead("registers refused")

    def read(self, addr, size):
        reply = self.command("m%x,%x" % (addr, size))
        if reply.startswith("E") or len(reply) != 2 * size:
            raise Dead("no memory at %#x" % addr)
        return bytes.fromhex(reply)

    def write(self, addr, data):
        if self.command("M%x,%x:%s" % (addr, len(data), data.hex())) != "OK":
            raise Dead("cannot write at %#x" % addr)

    def words(self, addr, count=1):
        return struct.unpack("<%dQ" % count, self.read(addr, 8 * count))

    def physical(self, on):
        self.command("Qqemu.PhyMemMode:%d" % on)

    # Running.

    def stop_at(self, addr):
        self.command("Z0,%x,1" % addr)

    def forget(self, addr):
        self.command("z0,%x,1" % addr)

    def step(self, events=False, timeout=30):
        """One instruction.  The stub's default (7) holds back all events: 5 lets them
        in, though time stands still."""
        flags = 5 if events else 7
        if self.flags != flags:
            self.command("Qqemu.sstep=%x" % flags)
            self.flags = flags
        self.send("s")
        return self.stopped(timeout)

    def cont(self, timeout=30):
        self.send("c")
        return self.stopped(timeout)

    def spent(self):
        """Seconds of a processor that the machine has had."""
        try:
            with open("/proc/%d/stat" % self.pid) as f:
                return sum(map(int, f.read().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            return 0

    def stopped(self, timeout):
        """In this time: the machine's own, for of a busy computer it gets little.
        One that sleeps gets none, and six times as long."""
        end, reply = self.spent() + timeout, None
        for _ in range(24):
            reply = self.receive(timeout / 4)
            if reply is not None or self.spent() >= end:
                break
        if reply is None:
            raise Hang("still running after %g s" % timeout)
        if not reply.startswith("T05"):
            raise Dead("stopped with " + reply[:12])
        return reply

    def interrupt(self):
        self.sock.sendall(b"\x03")
        return self.receive(30)

    def run_to(self, *addrs, timeout=30):
        """Continue until one of these; the breakpoints are gone afterwards."""
        for a in addrs:
            self.stop_at(a)
        self.cont(timeout)
        for a in addrs:
            self.forget(a)
        return self.regs()
