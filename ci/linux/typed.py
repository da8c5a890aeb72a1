# SPDX-License-Identifier: GPL-2.0-only
# A person at `make linux`, on a terminal of its own:  typed.py SECONDS
# Interrupts a command, goes back to the last one, asks for the keys, pulls the plug.
import os, select, signal, sys, termios, time
sys.dont_write_bytecode = True
sys.path.insert(0, 'ci')
import typist
sys.stdout.reconfigure(line_buffering=True)

pid, main, other, before = typist.sit_down('make', 'linux')
seen, end = b'', time.time() + int(sys.argv[1])
def stop(why):
    sys.stdout.write(seen.decode(errors='replace'))
    print('WRONG: ' + why)
    os.killpg(pid, signal.SIGTERM)
    sys.exit(1)
def look():
    global seen
    if time.time() > end:
        stop('out of time')
    if select.select([main], [], [], 0.5)[0]:
        try:
            seen += os.read(main, 4096).replace(b'\r', b'')
        except OSError:
            pass
def expect(what, keys):
    """What is to be seen next, and what is typed then."""
    global seen
    while what not in seen:
        look()
    there = seen.index(what) + len(what)
    sys.stdout.write(seen[:there].decode(errors='replace'))
    seen = seen[there:]
    os.write(main, keys)

expect(b'/ # ', b'echo once more\r')
expect(b'\nonce more', b'')
expect(b'/ # ', b'sleep 1000\r')
expect(b'sleep 1000\n', b'')
time.sleep(3)
os.write(main, b'\x03')
expect(b'/ # ', b'\x1b[A')                      # the arrow: the last command
expect(b'sleep 1000', b'\x1b[A')                # and the one before
expect(b'echo once more', b'\r')
expect(b'\nonce more', b'')
expect(b'/ # ', b'\x01h')
expect(b'Ctrl-A Ctrl-A  sends one Ctrl-A', b'ps\r')
expect(b'/ # ', b'\x01x')
expect(b'interrupted, the Guest ends', b'')
while True:
    done, how = os.waitpid(pid, os.WNOHANG)
    if done:
        break
    look()
sys.stdout.write(seen.decode(errors='replace'))
if os.waitstatus_to_exitcode(how) != 2 or b'Error 130' not in seen:
    print('WRONG: status %d of make, and not 130 of ours' % os.waitstatus_to_exitcode(how))
    sys.exit(1)
if termios.tcgetattr(other) != before:
    print('WRONG: the terminal is not as it was')
    sys.exit(1)
