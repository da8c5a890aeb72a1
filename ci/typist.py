# SPDX-License-Identifier: GPL-2.0-only
"""Somebody at a terminal of their own, for the checks that type."""
import fcntl, os, pty, termios

def sit_down(*command, **environment):
    """Start the command in front of a new terminal: its process, our end, its end, how that was."""
    main, other = pty.openpty()
    before = termios.tcgetattr(other)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.close(main)
        for fd in 0, 1, 2:
            os.dup2(other, fd)
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        os.environ.update(environment)
        os.execvp(command[0], command)
    return pid, main, other, before
