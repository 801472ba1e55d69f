"""Processes of this host, identified by boot, process-id namespace and start time (Linux `/proc`)."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class LinuxProcesses:
    """The `ProcessTable` port over `/proc`."""

    def describe(self) -> Mapping[str, Any]:
        """Return this process's host, boot and namespace, id and start time."""
        pid = os.getpid()
        return {"host": socket.gethostname(), "kernel": _kernel(), "pid": pid, "started": _start_time(pid)}

    def is_alive(self, place: Mapping[str, Any]) -> bool | None:
        """Return whether a described process is running; None for another host, boot or namespace."""
        same_host = place.get("host") == socket.gethostname() and place.get("kernel") == _kernel()
        if not same_host or not place.get("started"):
            return None
        return bool(_start_time(int(place["pid"])) == place["started"])


def _kernel() -> str:
    """Return the boot id and process-id namespace in which process ids are unique; empty when unknown."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip() + os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _start_time(pid: int) -> str:
    """Return a process's start time in kernel ticks; empty when no process has this id."""
    try:
        # Field 22 of /proc/<pid>/stat; field 2, the name, may contain spaces and ends with a bracket.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
