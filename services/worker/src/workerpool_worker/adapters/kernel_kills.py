"""The kernel's own count of the processes that it killed because memory was full.

The kernel counts a kill before the process dies (`__oom_kill_process` in mm/oom_kill.c). A count that stood still while
a container ran therefore proves that none of its processes was killed so, without a pause for late events.
"""

from pathlib import Path

from workerpool_worker.adapters.cgroups import CGROUPS, has_group
from workerpool_worker.domain.containers.engine_host import joins_namespaces

_COUNTERS = Path("/proc/vmstat")
_KILLS = "oom_kill "


class KernelKills:
    """The count of this host's kernel, which is of use for containers that run on this kernel."""

    def __init__(self, counters: Path = _COUNTERS, groups: Path = CGROUPS) -> None:
        """Create it. `counters` is the kernel's file of counters, `groups` is where its control groups are mounted."""
        self._counters, self._groups = counters, groups
        self._counts_containers = False
        """Whether a container was seen on this kernel. An engine on this host may be in a virtual machine."""

    def look_for(self, container: str) -> None:
        """Check whether a container that was just started runs on this kernel."""
        self._counts_containers = self._counts_containers or has_group(container, self._groups)

    def count(self) -> int | None:
        """Return how many processes the kernel has killed since its start; None if it does not report it."""
        try:
            lines = self._counters.read_text().splitlines()
        except OSError:
            return None
        return next((int(line[len(_KILLS) :]) for line in lines if line.startswith(_KILLS)), None)

    def none_since(self, before: int | None, runtime: str) -> bool:
        """Return whether it is certain that no container of a runtime lost a process since `count` returned `before`.

        A runtime with a kernel of its own has kills that this kernel does not see.
        """
        if before is None or not self._counts_containers or not runtime or not joins_namespaces(runtime):
            return False
        return self.count() == before
