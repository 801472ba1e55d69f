"""Memory and processor time of a process, from /proc."""

from __future__ import annotations

import contextlib
import os
import resource
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_MODEST = 10


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process in bytes (VmRSS)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


def cpu_seconds(pid: int) -> float:
    """Return the user and system time that a process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def be_modest(pid: int) -> None:
    """Give a new process and its future threads the lowest priority."""
    os.setpriority(os.PRIO_PROCESS, pid, _MODEST)
    # Where the kernel groups processes by session, the priority counts only within a session.
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(_MODEST))


def allow_many_files(needed: int) -> None:
    """Raise the limit of open files of this process and its children; exit if the hard limit is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SystemExit(
            f"{needed} open files are needed, but the hard limit is {hard}: raise it (ulimit -Hn)"
        )
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed if hard == resource.RLIM_INFINITY else hard, hard))
