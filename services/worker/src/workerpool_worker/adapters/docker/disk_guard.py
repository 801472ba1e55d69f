"""Keep apps within their share of the disk, and the host's disk from being filled.

Ordinary file systems have no quota for a folder, so the apps' folders are measured. A measurement reads every file, so
it runs only when needed: when the host's file systems grew enough since the last measurement that
the app may have reached its limit, and periodically. An app that writes nothing costs two cheap calls per tick.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workerpool_kit.logs import get_logger
from workerpool_kit.runtime.tasks import start_task
from workerpool_kit.runtime.threads import in_daemon_thread

from workerpool_worker.adapters.docker.written_places import UNMEASURED, Measured, WrittenPlaces
from workerpool_worker.domain.containers.disk import DiskLimits, DiskUsage
from workerpool_worker.errors import EngineFailure, EngineRefused, HostStorageUnavailable

log = get_logger()

TICK_S = 0.2
_LONGEST_INTERVAL_S = 15.0
_ENGINE_INTERVAL_S = 3.0
"""The engine reads every file of the layer to measure it, and its host's free space may be unknown."""
_FIRST_MEASUREMENT_S = 2.0
"""A young app is measured only once its host holds so much more that the app may have reached its limit."""
_RETRY_S = 1.0
_RELIEF_S = 5.0
"""Time for the files of a killed app to be removed before another one is killed."""
_MIB, _UNLIMITED = 1 << 20, 1 << 62

Inspect = Callable[[str], Awaitable[Mapping[str, Any]]]
LayerBytes = Callable[[str], Awaitable[int]]
Kill = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Host:
    """Space of the file systems that apps write to."""

    used: DiskUsage
    free: tuple[DiskUsage, ...]
    """Free space of each file system."""


@dataclass(frozen=True, slots=True)
class DiskStart:
    """The file systems that an app writes to, before its start."""

    folders: tuple[Path, ...]
    host: _Host
    at: float
    """On the monotonic clock."""


@dataclass(slots=True)
class DiskWatch:
    """The last measurements of the disk usage of a container."""

    container: str
    start: DiskStart | None = None
    """What to compare the host with, until the app may have written much."""
    excess: str = ""
    """A sentence if the app reached a limit."""
    host_is_full: bool = False
    """Whether the app was killed to keep the host's disk from being filled, within its own limits."""
    places: WrittenPlaces | None = None
    measured: Measured = UNMEASURED
    host_then: _Host | None = None
    measured_at: float = 0.0


class DiskGuard:
    """Watches the disk usage of running containers and kills those that reach a limit."""

    def __init__(self, limits: DiskLimits, *, inspect: Inspect, layer_bytes: LayerBytes, kill: Kill) -> None:
        """Create a guard. The three calls describe, measure and kill a container on its engine."""
        self._limits = limits
        self._inspect, self._layer_bytes, self._kill = inspect, layer_bytes, kill
        self._watches: dict[str, DiskWatch] = {}
        self._next_relief = 0.0

    async def check_room(self, folders: list[Path]) -> DiskStart | None:
        """Refuse to start an app when the host's disk is nearly full. Raises `HostStorageUnavailable`.

        Return what to compare the host with after the start; None if a folder cannot be read here.
        """
        return await asyncio.to_thread(self.check_room_now, folders)

    def check_room_now(self, folders: Sequence[Path]) -> DiskStart | None:
        """Do what `check_room` does. Blocks."""
        start = _start_of(folders)
        if self._is_full(start.host):
            raise HostStorageUnavailable(self._full_host())
        return start if start.folders == tuple(folders) else None

    @asynccontextmanager
    async def watched(self, container: str, start: DiskStart | None = None) -> AsyncIterator[DiskWatch]:
        """Watch a container while the block runs.

        With `start`, the container is not started yet, and the engine is not asked about an app that ends soon and
        writes little.
        """
        watch = self._watches[container] = DiskWatch(container, start)
        watching = start_task(self._watch(watch), name=f"disk-{container[:12]}")
        try:
            yield watch
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            del self._watches[container]

    async def conclude(self, watch: DiskWatch, details: Mapping[str, Any]) -> str:
        """Measure an ended container and return a sentence if it reached a limit, else an empty text.

        Raises `HostStorageUnavailable` if the app was killed within its limits because the host's disk was full, and
        `DockerUnavailable` if the engine must measure it and does not answer.
        """
        self.check_killed(watch)
        if not watch.excess:
            watch.places = WrittenPlaces.of(details)
            try:
                await self._measure(watch)
            except (EngineRefused, OSError) as problem:
                log.warning("disk.check_failed", container=watch.container[:12], error=str(problem))
        return watch.excess

    def check_killed(self, watch: DiskWatch) -> None:
        """Raise `HostStorageUnavailable` if the app was killed within its limits because the host's disk was full."""
        if watch.host_is_full and not watch.excess:
            raise HostStorageUnavailable(self._full_host())

    async def _watch(self, watch: DiskWatch) -> None:
        must_end = False
        while True:
            await asyncio.sleep(TICK_S)
            try:
                must_end = must_end or await self._must_end(watch)
                if must_end:
                    await self._kill(watch.container)
                    return
            except (EngineFailure, OSError) as problem:
                log.warning("disk.check_failed", container=watch.container[:12], error=str(problem))
                await asyncio.sleep(_RETRY_S)

    async def _must_end(self, watch: DiskWatch) -> bool:
        """Check the disk. Return whether the container must be killed."""
        if watch.start is not None:
            if not await self._may_hold_much(watch.start):
                return False
            watch.start = None
        if watch.places is None or not watch.places.process:
            watch.places = WrittenPlaces.of(await self._inspect(watch.container))
        folders = [folder for group in watch.places.folders.values() for folder in group]
        host = await asyncio.to_thread(_host_of, folders) if folders else None
        if self._is_due(watch, host):
            watch.host_then = host
            began = time.monotonic()
            await self._measure(watch)
            if not watch.excess and (took := time.monotonic() - began) > TICK_S:
                await asyncio.sleep(took)  # Measurements take at most half of a processor.
        if watch.excess:
            log.warning("app.disk_limit_reached", container=watch.container[:12], reason=watch.excess)
            return True
        return host is not None and self._is_full(host) and await self._is_largest(watch)

    async def _may_hold_much(self, start: DiskStart) -> bool:
        """Return whether an app may have reached its limit since its start, or must be measured for its age."""
        host = await asyncio.to_thread(_host_of, start.folders)
        return (
            time.monotonic() - start.at > _FIRST_MEASUREMENT_S
            or self._is_full(host)
            or _grown(start.host, host, DiskUsage()).reaches(self._limits.app)
        )

    def _is_due(self, watch: DiskWatch, host: _Host | None) -> bool:
        """Return whether the container may have reached its limit since its last measurement."""
        age = time.monotonic() - watch.measured_at
        assert watch.places is not None
        if not watch.places.layer_is_visible and age > _ENGINE_INTERVAL_S:
            return True
        if host is None or watch.host_then is None or age > _LONGEST_INTERVAL_S:
            return age > TICK_S
        return _grown(watch.host_then, host, watch.measured.largest).reaches(self._limits.app)

    async def _measure(self, watch: DiskWatch) -> None:
        places = watch.places
        assert places is not None
        layer = None if places.layer_is_visible else await self._layer_bytes(watch.container)
        watch.measured = await in_daemon_thread(
            lambda: places.measure(self._limits.app, layer), name="disk-usage"
        )
        watch.excess = watch.measured.excess
        watch.measured_at = time.monotonic()

    async def _is_largest(self, watch: DiskWatch) -> bool:
        """Measure, and return whether this container uses the most space, so that ending it helps the host."""
        await self._measure(watch)
        largest = max(self._watches.values(), key=lambda each: each.measured.largest.size_bytes)
        if largest is not watch or time.monotonic() < self._next_relief:
            return False
        self._next_relief = time.monotonic() + _RELIEF_S
        watch.host_is_full = True
        log.error("host.disk_floor_reached", container=watch.container[:12], reason=self._full_host())
        return True

    def _is_full(self, host: _Host) -> bool:
        return any(self._limits.is_full(free) for free in host.free)

    def _full_host(self) -> str:
        floor = self._limits.floor
        return (
            f"the host has less than {floor.size_bytes // _MIB} MiB or {floor.files} files of free disk space; free "
            "space, or lower WORKERPOOL_WORKER_DISK_FLOOR_BYTES"
        )


def _grown(before: _Host, now: _Host, held: DiskUsage) -> DiskUsage:
    """Return the most that an app holds which held some space before."""
    return DiskUsage(
        now.used.size_bytes - before.used.size_bytes + held.size_bytes,
        now.used.files - before.used.files + held.files,
    )


def _start_of(folders: Sequence[Path]) -> DiskStart:
    """Return the space of the file systems of those of some folders that can be read. Blocks. Raises OSError."""
    readable = tuple(folder for folder in folders if os.access(folder, os.R_OK | os.X_OK))
    return DiskStart(readable, _host_of([each for each in folders if each.exists()]), time.monotonic())


def _host_of(folders: Sequence[Path]) -> _Host:
    """Return the space of the file systems of some folders. Blocks. Raises OSError."""
    used = DiskUsage()
    free: list[DiskUsage] = []
    systems: set[int] = set()
    for folder in folders:
        device = os.stat(folder).st_dev
        if device in systems:
            continue
        systems.add(device)
        space = os.statvfs(folder)
        used += DiskUsage((space.f_blocks - space.f_bfree) * space.f_frsize, space.f_files - space.f_ffree)
        # Some file systems make inodes as they are needed and report none.
        files = space.f_favail if space.f_files else _UNLIMITED
        free.append(DiskUsage(space.f_bavail * space.f_frsize, files))
    return _Host(used, tuple(free))
