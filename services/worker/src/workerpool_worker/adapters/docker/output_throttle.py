"""Pause apps that print faster than the engine should write.

The engine needs a processor for 70 MB/s of short lines, and no limit of the app covers that work. An app that prints
more than its rate is paused by its control group, again and again, so that it prints at its rate on average. Output is
counted where it costs: in the engine's log file. Where that file or the control group cannot be reached (a remote
engine, a worker in a container or without root) no app is paused.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from workerpool_kit.logs import get_logger
from workerpool_kit.runtime.tasks import start_task

from workerpool_worker.adapters.cgroups import pause, resume
from workerpool_worker.domain.containers.output_rate import OutputAllowance

log = get_logger()

TICK_S = 0.2


class OutputThrottle:
    """Watches the logs of running containers."""

    def __init__(self, bytes_per_s: int) -> None:
        """Create a throttle. `bytes_per_s` is the rate of one app; 0 means no limit."""
        self._rate = bytes_per_s
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._paused: set[str] = set()
        """Containers that were ever paused."""

    def has_paused(self, container: str) -> bool:
        """Return whether a container was paused at least once."""
        return container in self._paused

    def slowed_to(self, container: str) -> int:
        """Return the bytes per second to which a container's output was slowed; 0 if it was not."""
        return self._rate if container in self._paused else 0

    def forget(self, container: str) -> None:
        """Forget a container that is removed. Thread-safe."""
        self._paused.discard(container)

    @asynccontextmanager
    async def watched(self, container: str, log_file: Path) -> AsyncIterator[None]:
        """Watch a container while the block runs. A pause of an earlier watch ends, and so does one of this watch."""
        if not self._rate:
            yield
            return
        watch = start_task(self._watch(container, log_file), name=f"output-rate-{container[:12]}")
        self._watches[container] = watch
        try:
            yield
        finally:
            del self._watches[container]
            await _cancel(watch)

    async def release(self, container: str) -> None:
        """Never pause a container again, for example because it is killed. Its pause ends."""
        if watch := self._watches.get(container):
            await _cancel(watch)

    async def _watch(self, container: str, log_file: Path) -> None:
        written = LogSize(log_file)
        await asyncio.to_thread(written.grown)
        allowance = OutputAllowance(self._rate, time.monotonic())
        paused = False
        resume(container)
        try:
            while True:
                await asyncio.sleep(TICK_S)
                allowance.spend(await asyncio.to_thread(written.grown), time.monotonic())
                if allowance.is_exceeded == paused:
                    continue
                # Both calls only set a flag in the kernel. After the app's end there is no control group.
                if not (resume if paused else pause)(container):
                    return
                paused = not paused
                if container not in self._paused:
                    log.warning("app.output_throttled", container=container[:12], bytes_per_s=self._rate)
                    self._paused.add(container)
        finally:
            if paused:
                resume(container)


async def _cancel(watch: asyncio.Task[None]) -> None:
    watch.cancel()
    await asyncio.wait({watch})


class LogSize:
    """The size of a log file that the engine renames to `….1` when it is full."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._full_path = path.with_name(f"{path.name}.1")
        self._file = self._size = 0
        """Inode and size of the newest file."""
        self._full_at = 0
        """Time of the last write to the full file. Inodes do not identify files: the next file may have the same."""

    def grown(self) -> int:
        """Return how many bytes were written since the last call, or fewer if several files were begun meanwhile."""
        full = self._full()
        try:
            newest = self._path.stat()
        except OSError:
            # It does not exist yet, is being renamed, or belongs to another host.
            return 0
        full_at = full.st_mtime_ns if full else 0
        again = self._full()
        if full_at != (again.st_mtime_ns if again else 0):
            return 0  # Renamed between the calls. The next call counts it.
        grown = newest.st_size
        if full_at == self._full_at:
            grown -= self._size
        elif full:
            grown += full.st_size - (self._size if full.st_ino == self._file else 0)
        self._file, self._size, self._full_at = newest.st_ino, newest.st_size, full_at
        return max(grown, 0)

    def _full(self) -> os.stat_result | None:
        try:
            return self._full_path.stat()
        except OSError:
            return None
