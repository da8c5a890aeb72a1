# SPDX-License-Identifier: GPL-2.0-only
# Ends ci/linux/terminal.c in every way, on terminals of its own, and looks
# whether each of them is left as it was found:  terminal.py PROGRAM
import fcntl, os, pty, select, signal, sys, termios, time

program, wrong = sys.argv[1], 0

def complain(*text):
    global wrong
    wrong += 1
    print('WRONG:', *text)

class Run:
    """A terminal, and the program in front of it (or behind, as a job)."""
    def __init__(self, way, ignore=(), out=None):
        self.way = way
        self.main, self.tty = pty.openpty()
        attr = termios.tcgetattr(self.tty)
        attr[3] &= ~termios.ECHOCTL     # something that is not the default
        attr[6][termios.VERASE] = b'\x08'
        termios.tcsetattr(self.tty, termios.TCSANOW, attr)
        self.before = termios.tcgetattr(self.tty)
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.tty, termios.TIOCSCTTY, 0)
            for fd in 0, 1, 2:
                os.dup2(out if out is not None and fd == 1 else self.tty, fd)
            os.closerange(3, 100)
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            for s in ignore:
                signal.signal(s, signal.SIG_IGN)
            os.execv(program, [program, way])
        self.seen = b''
        if out is None:
            self.wait_for(b'ready')
    def wait_for(self, what, seconds=20):
        end = time.time() + seconds
        while what not in self.seen and time.time() < end:
            if select.select([self.main], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.main, 4096)
                except OSError:
                    break
        if what not in self.seen:
            complain(self.way, 'does not say', what, 'but', self.seen[-200:])
    def type(self, keys):
        os.write(self.main, keys)
    def attr(self):
        return termios.tcgetattr(self.tty)
    def raw(self):
        a = self.attr()
        return not a[3] & (termios.ECHO | termios.ICANON | termios.ISIG) and bool(a[1] & termios.OPOST)
    def end(self, status, name=None, same=True):
        end = time.time() + 20
        how = None
        while time.time() < end:
            pid, how = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            if select.select([self.main], [], [], 0.02)[0]:
                try:
                    self.seen += os.read(self.main, 4096)
                except OSError:
                    pass
        else:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            complain(name or self.way, 'does not end')
            return
        got = os.waitstatus_to_exitcode(how)
        if got != status:
            complain(name or self.way, 'ends with', got, 'and not', status)
        if (self.attr() == self.before) != same:
            complain(name or self.way, 'leaves the terminal', 'changed' if same else 'as it was')
        os.close(self.main)
        os.close(self.tty)
        print('ok:', name or self.way, 'ends with', got)

# of its own will, and on signals
Run('return').end(0)
Run('fail').end(4)
for s, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGQUIT, 131)):
    r = Run('sleep')
    if not r.raw():
        complain('the terminal is not raw')
    os.kill(r.pid, s)
    r.end(status, s.name)
r = Run('sleep')
os.kill(r.pid, signal.SIGKILL)
r.end(-9, 'SIGKILL, after which nobody can,', same=False)

# nohup is heard
r = Run('sleep', ignore=[signal.SIGHUP])
os.kill(r.pid, signal.SIGHUP)
time.sleep(0.3)
if os.waitpid(r.pid, os.WNOHANG)[0]:
    complain('nohup does not help')
os.kill(r.pid, signal.SIGTERM)
r.end(143, 'SIGTERM after nohup')

# whoever reads what is printed goes away
a, b = os.pipe()
r = Run('print', out=b)
os.close(b)
os.read(a, 5)
os.close(a)
r.end(141, 'SIGPIPE')

# stopped, and continued
r = Run('show')
os.kill(r.pid, signal.SIGTSTP)
pid, how = os.waitpid(r.pid, os.WUNTRACED)
if not os.WIFSTOPPED(how):
    complain('SIGTSTP does not stop it')
if r.attr() != r.before:
    complain('a stopped one keeps the terminal')
os.kill(r.pid, signal.SIGCONT)
end = time.time() + 10
while not r.raw() and time.time() < end:
    time.sleep(0.05)
if not r.raw():
    complain('a continued one does not take the terminal')
r.type(b'q')
r.end(0, 'stopped, continued, then q')

# executed anew, the terminal is given back in the end all the same
r = Run('again')
r.wait_for(b'ready\r\nready')
r.type(b'q')
r.end(0)

# keys: what is for the Guest comes through as it is, and what is ours does not
r = Run('show')
r.type(bytes(n for n in range(256) if n not in (1, ord('q'))))
r.wait_for(b'ff ')
for n in range(256):
    if n not in (1, ord('q')) and ('%02x ' % n).encode() not in r.seen:
        complain('byte %02x does not come through' % n)
r.seen = b''
r.type(b'\x01'); time.sleep(0.2); r.type(b'\x01')       # in two parts
r.type(b'a\x01hb\x01?c\x01\x01\x01\x01q')
r.wait_for(b'71 ')
r.wait_for(b'sends one Ctrl-A')
shown = r.seen.replace(b'\r', b'')
for line in (b'Ctrl-A x       ends the Guest\n', b'Ctrl-A h       prints this\n', b'Ctrl-A Ctrl-A  sends one Ctrl-A\n'):
    if line not in shown:
        complain('Ctrl-A h does not print', line)
    shown = shown.replace(line, b'')
got = [x for x in shown.split() if len(x) == 2]
if got != b'01 61 62 63 01 01 71'.split():
    complain('keys come through as', got)
r.end(0, 'keys')

# the way out is open even when nobody reads, and nothing blocks
r = Run('sleep')
for i in range(100):
    r.type(b'x' * 2000)
    time.sleep(0.005)
r.type(b'\x01x')
r.end(130, 'Ctrl-A x after 200,000 keys that nobody has read')

# the window is closed: the line hangs up, or the signal comes first
r = Run('show')
os.close(r.main)
how = os.waitpid(r.pid, 0)[1]
if os.waitstatus_to_exitcode(how) not in (1, 129):
    complain('a closed window: status', os.waitstatus_to_exitcode(how))

# in the background the terminal belongs to somebody else
main, tty = pty.openpty()
report, says = os.pipe()
shell = os.fork()
if shell == 0:
    os.setsid()
    fcntl.ioctl(tty, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(tty, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        for fd in 0, 1, 2:
            os.dup2(tty, fd)
        os.closerange(3, 100)
        os.execv(program, [program, 'sleep'])
    while termios.tcgetattr(tty)[3] & termios.ECHO:
        time.sleep(0.05)
    os.kill(job, signal.SIGSTOP)
    os.waitpid(job, os.WUNTRACED)
    os.tcsetpgrp(tty, os.getpgrp())
    mine = termios.tcgetattr(tty)
    mine[0] ^= termios.IXANY
    termios.tcsetattr(tty, termios.TCSANOW, mine)
    mine = termios.tcgetattr(tty)
    os.kill(job, signal.SIGTERM)
    os.kill(job, signal.SIGCONT)
    how = os.waitpid(job, 0)[1]
    ok = os.waitstatus_to_exitcode(how) == 143 and termios.tcgetattr(tty) == mine
    os.write(says, b'y' if ok else b'n')
    os._exit(0)
if not select.select([report], [], [], 30)[0] or os.read(report, 1) != b'y':
    complain('one that ends in the background touches the terminal, or does not end')
    os.kill(shell, signal.SIGKILL)
else:
    print('ok: one that ends in the background leaves the terminal alone')
os.waitpid(shell, 0)
sys.exit(1 if wrong else 0)
