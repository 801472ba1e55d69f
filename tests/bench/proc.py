"""What the kernel knows of a process: memory and processor time, from /proc."""

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
    """Let a process that has just begun, and all its threads, have the processors only when others leave them."""
    os.setpriority(os.PRIO_PROCESS, pid, _MODEST)
    # Where sessions share the processors among them, the priority counts only within each.
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(_MODEST))


def allow_many_files(needed: int) -> None:
    """Raise this process's limit of open files, which its children inherit; exit naming the limit if it is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SystemExit(
            f"{needed} open files are needed, but the hard limit is {hard}: raise it (ulimit -Hn)"
        )
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed if hard == resource.RLIM_INFINITY else hard, hard))
