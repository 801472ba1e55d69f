"""The lock of a worker's folder: two workers in one folder would overwrite each other's files.

The lock itself is the kernel's, which ends with its process. A second file names its holder, with the start of the
process: a number alone may be that of another process, above all if the worker runs in a container.
"""

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from workerpool_worker.adapters.files.atomic import replace_text

_LOCK, _HOLDER = "lock", "holder.json"
_ATTEMPTS, _PAUSE_S = 10, 0.05
"""Seconds to retry, because a command that inspects the lock holds it briefly."""
_START_FIELD = 19
"""Position of the start time in `/proc/<pid>/stat`, counted from the state, which follows the program's name."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The worker that uses a folder: its process and its HTTP port; 0 where unknown."""

    pid: int
    http_port: int
    started: int = 0
    """When the process started, in clock ticks since the boot."""

    @property
    def is_here(self) -> bool:
        """Whether `pid` names the worker's process here. That of a container names none here, or another process."""
        return self.started != 0 and started_at(self.pid) == self.started


def take_lock(folder: Path, http_port: int = 0, *, command: bool = False) -> IO[str] | None:
    """Lock a folder for this process and record its holder; None while another process holds the lock.

    A `command` works on the folder of a stopped worker: it is no worker, and must not get a worker's signals.
    Closing the file releases the lock. Blocks for half a second at most. Raises OSError.
    """
    lock = (folder / _LOCK).open("a+")
    try:
        for attempt in range(_ATTEMPTS):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == _ATTEMPTS - 1:
                    lock.close()
                    return None
                time.sleep(_PAUSE_S)
        # Remove the old file first: it names no current holder, and takes space on a full disk.
        (folder / _HOLDER).unlink(missing_ok=True)
        write_holder(folder, os.getpid(), http_port, command=command)
    except OSError:
        lock.close()
        raise
    return lock


def write_holder(folder: Path, pid: int, http_port: int, *, command: bool = False) -> None:
    """Record which process holds the lock of a folder. Raises OSError."""
    holder = {"pid": pid, "http_port": http_port, "started": started_at(pid), "command": command}
    replace_text(folder / _HOLDER, json.dumps(holder))


def holder_of(folder: Path) -> Holder | None:
    """Return the worker that holds the lock of a folder; None when none does. Raises OSError."""
    try:
        lock = (folder / _LOCK).open()
    except FileNotFoundError:
        return None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _written_holder(folder)
    return None


def _written_holder(folder: Path) -> Holder | None:
    try:
        written = json.loads((folder / _HOLDER).read_text())
        if written["command"]:
            return None
        return Holder(int(written["pid"]), int(written["http_port"]), int(written["started"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return Holder(0, 0)


def started_at(pid: int) -> int:
    """Return when a process started, in clock ticks since the boot; 0 for a process that is not visible here."""
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    # The program's name, in brackets, may contain anything.
    return int(state.rpartition(b")")[2].split()[_START_FIELD])
