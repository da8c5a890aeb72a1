# SPDX-License-Identifier: GPL-2.0-only
# Types at `make run GUEST=shell` on a terminal of its own:
#   terminal.py KEYS STATUS SECONDS
# KEYS: each part up to a | is typed at the next prompt; ^C and ^D are keys.
# Prints what the terminal shows; fails unless the status is right and the
# terminal is left as it was found.
import os, select, signal, sys, termios, time
sys.dont_write_bytecode = True
sys.path.insert(0, 'ci')
import typist

keys, status, seconds = sys.argv[1].split('|'), int(sys.argv[2]), int(sys.argv[3])
pid, main, other, before = typist.sit_down('make', 'run', GUEST='shell')
seen, typed, end = b'', 0, time.time() + seconds
def stop(why):
    sys.stdout.write(seen.decode(errors='replace').replace('\r', ''))
    print('WRONG: ' + why)
    os.killpg(pid, signal.SIGTERM)
    sys.exit(1)
while True:
    if time.time() > end:
        stop('out of time')
    if select.select([main], [], [], 1)[0]:
        try:
            part = os.read(main, 4096)
        except OSError:
            part = b''
        seen += part
    done, how = os.waitpid(pid, os.WNOHANG)
    if done:
        break
    if typed < len(keys) and seen.count(b'$ ') > typed:
        text = keys[typed].replace('^C', '\3').replace('^D', '\4')
        os.write(main, text.encode() + (b'' if text in '\3\4' else b'\r'))
        typed += 1
while select.select([main], [], [], 0)[0]:
    part = os.read(main, 4096)
    if not part:
        break
    seen += part
sys.stdout.write(seen.decode(errors='replace').replace('\r', ''))
if os.waitstatus_to_exitcode(how) != status:
    print('WRONG: status %d, not %d' % (os.waitstatus_to_exitcode(how), status))
    sys.exit(1)
if termios.tcgetattr(other) != before:
    print('WRONG: the terminal is not as it was')
    sys.exit(1)
