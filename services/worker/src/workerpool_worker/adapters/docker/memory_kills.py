"""Kills at the memory limit of a container that the engine's record of it misses.

The engine learns of a kill from an event that may come after the end of the container.
"""

from collections.abc import Mapping
from typing import Any

from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.kernel_kills import KernelKills
from workerpool_worker.domain.failures.app_exit import KILLED

_EVENT_DELAY_S = 0.05
_KILL_EVENT_DELAY_S = 0.5


class MemoryKills:
    """Finds the kills of the containers of one engine."""

    def __init__(self, connection: DockerConnection, kernel: KernelKills | None = None) -> None:
        """Create it. `kernel` counts the kills of this host; None means the kernel's own counter."""
        self._connection = connection
        self._kernel = kernel or KernelKills()

    def count(self) -> int | None:
        """Return a count to compare with after the end of a container that is about to start."""
        return self._kernel.count()

    def started(self, container: str) -> None:
        """Observe a container that was just started. Thread-safe."""
        self._kernel.look_for(container)

    async def happened(self, container: str, details: Mapping[str, Any], before: int | None) -> bool:
        """Return whether an ended container lost a process. Raises `DockerUnavailable`.

        Args:
            container: id of the container.
            details: the engine's description of it.
            before: what `count` returned before its start; None if it was started by another process.
        """
        runtime = str(details["HostConfig"].get("Runtime") or "")
        if self._kernel.none_since(before, runtime):
            return False
        return await self._is_in_events(container, killed=int(details["State"]["ExitCode"]) == KILLED)

    async def _is_in_events(self, container: str, *, killed: bool) -> bool:
        """Search the engine's events for the kill. The app's exit code does not show the kill of a child."""
        # The engine waits until its own clock has this time, so the worker's clock must not be used.
        until = await self._connection.time() + (_KILL_EVENT_DELAY_S if killed else _EVENT_DELAY_S)

        def search(api: Any) -> bool:
            filters = {"container": container, "event": "oom"}
            return any(api.events(since=0, until=until, filters=filters, decode=True))

        return await self._connection.call(search)
