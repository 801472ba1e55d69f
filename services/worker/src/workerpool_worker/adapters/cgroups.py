"""The control groups of containers on this host: a kill that does not wait for the engine, and pauses.

An engine that is busy, for example with a flood of output, answers a kill only after many seconds. The kernel needs
none. Where the groups are not visible (a remote engine, a worker in a container, a worker without root), the engine's
own kill remains, and nothing can be paused.
"""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
"""Where the control groups are mounted."""
_CONTAINER_ID = re.compile(r"[0-9a-f]{64}")
_PLACES = (
    # cgroup v2, by the engine's cgroup driver
    "docker/{}",
    "system.slice/docker-{}.scope",
    # cgroup v1
    "pids/docker/{}",
    "pids/system.slice/docker-{}.scope",
)
_SWITCHES = (
    # File that pauses a group, its content for a pause, its content for the end of a pause.
    *((f"{place}/cgroup.freeze", "1", "0") for place in _PLACES[:2]),
    *((f"freezer/{place}/freezer.state", "FROZEN", "THAWED") for place in _PLACES[:2]),
)


def kill_processes(container: str, root: Path = CGROUPS) -> bool:
    """Send SIGKILL to every process of a container. Return whether it had one that could be killed.

    Args:
        container: full id of the container, 64 hexadecimal digits.
        root: where the control groups are mounted.
    """
    if not _CONTAINER_ID.fullmatch(container):
        return False
    killed = False
    for pid in _processes(container, root):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
            killed = True
    # A paused process of cgroup v1 ends only when its pause ends.
    resume(container, root)
    return killed


def has_group(container: str, root: Path = CGROUPS) -> bool:
    """Return whether a container has a control group here, so that its processes run on this kernel."""
    if not _CONTAINER_ID.fullmatch(container):
        return False
    return any((root / place.format(container)).is_dir() for place in _PLACES)


def pause(container: str, root: Path = CGROUPS) -> bool:
    """Pause every process of a container until `resume`. Return False if its control group cannot be changed.

    The engine does not notice and shows the container as running.
    """
    return _switch(container, root, paused=True)


def resume(container: str, root: Path = CGROUPS) -> bool:
    """End a pause. Return False if the control group cannot be changed."""
    return _switch(container, root, paused=False)


def _switch(container: str, root: Path, *, paused: bool) -> bool:
    if not _CONTAINER_ID.fullmatch(container):
        return False
    for file, on, off in _SWITCHES:
        with suppress(OSError):
            switch = os.open(root / file.format(container), os.O_WRONLY)
            try:
                os.write(switch, (on if paused else off).encode())
            finally:
                os.close(switch)
            return True
    return False


def _processes(container: str, root: Path) -> Iterator[int]:
    for place in _PLACES:
        group = root / place.format(container)
        with suppress(OSError):
            # 0 stands for a process of another process-id namespace, which cannot be named from here.
            yield from (
                pid for line in (group / "cgroup.procs").read_text().split() if (pid := int(line)) > 1
            )
            return
