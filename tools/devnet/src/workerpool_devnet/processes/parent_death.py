"""Replace this process by a command that the kernel kills when its parent dies.

Run as a script: `python -I -S leash.py PARENT_PID COMMAND ...`. A `kill -9` of the devnet must not
leave a chain, a database or a service behind; PR_SET_PDEATHSIG (prctl(2)) survives the exec and
needs no help from the command. The signal follows the death of the parent's *thread* that started
the process, so start processes from a thread that lives as long as the devnet.
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
    if os.getppid() != parent:  # it died before the signal was set
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
