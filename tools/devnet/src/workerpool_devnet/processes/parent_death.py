"""Replace this process by a command that the kernel kills when its parent dies.

Run as a script: `python -I -S parent_death.py PARENT_PID COMMAND ...`. After `kill -9` of the launcher no chain,
database or service may keep running; PR_SET_PDEATHSIG (prctl(2)) survives the exec and needs no support in the
command. The kernel sends the signal when the *thread* of the parent that started the process ends, so start
processes from a thread that lives as long as the devnet.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Set the death signal, then become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent died before the signal was set
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
