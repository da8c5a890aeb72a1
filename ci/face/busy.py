# SPDX-License-Identifier: GPL-2.0-only
# What a person sees of it, at a terminal of their own:  busy.py PROGRAM
import os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, 'ci')
import typist

def see(*words):
    pid, main, other, before = typist.sit_down(sys.argv[1], *words)
    os.close(other)
    seen = b''
    while True:
        try:
            piece = os.read(main, 4096)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    os.close(main)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen

wrong = 0
def must(words, status, want):
    global wrong
    got = see(*words)
    if got == (status, want):
        print('ok: %s: %r' % (' '.join(words), want))
    else:
        wrong = 1
        print('WRONG: %s: %r, and not %r' % (' '.join(words), got, (status, want)))

must(['50'], 0, b'lguest: all are there\r\n')
must(['1250'], 0, b'lguest: counts sheep..\r\x1b[Klguest: all are there\r\n')
must(['750', 'fail'], 3, b'lguest: counts sheep.\r\x1b[Klguest: a sheep is missing: count again\r\n')
sys.exit(wrong)
