"""Real workers on broken hosts: a full disk, a wrong clock, a Docker engine that goes away."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from relays import DOCKER_ENGINE, Relay
from small_volumes import SmallVolume, VolumeRefused

_FAKETIME = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
)
_DISK_BYTES = 32 << 20
_DISK_LEFT_BYTES = 8 << 20
"""Room for the journal of the worker and its write-ahead log, so that it keeps running and fails its tasks."""
FULL_DISK, WRONG_CLOCK, NO_ENGINE = "full disk", "wrong clock", "no engine"


class BrokenHosts:
    """The hosts of the workers `worker-<first>` …, made whole for their start and broken by `break_all`."""

    def __init__(self, first: int, folder: Path) -> None:
        self._folder = folder
        self._disk: SmallVolume | None = None
        self._socket = folder / "docker.sock"
        self._relay = Relay(self._socket, DOCKER_ENGINE)
        self.left_out: list[str] = []
        """Kinds of hosts that this machine cannot make, each with the reason."""
        self.environment: dict[str, dict[str, str]] = {}
        """Additional environment variables by name of the worker."""
        self.kinds: dict[str, str] = {}
        """Name of the worker → what is broken."""
        self._next = first

    @contextlib.asynccontextmanager
    async def made(self) -> AsyncIterator[BrokenHosts]:
        """Make the hosts inside a context."""
        with contextlib.ExitStack() as stack:
            try:
                self._disk = stack.enter_context(SmallVolume.mounted(self._folder / "disk", _DISK_BYTES))
                self._add(FULL_DISK, IEXEC_WORKER_BASE_DIR=str(self._disk.path))
            except VolumeRefused as error:
                self.left_out.append(f"{FULL_DISK}: {error}")
            library = next((path for path in _FAKETIME if os.path.exists(path)), None)
            if library is None:
                self.left_out.append(f"{WRONG_CLOCK}: install faketime")
            else:
                self._add(WRONG_CLOCK, LD_PRELOAD=library, FAKETIME="+3h", FAKETIME_DONT_FAKE_MONOTONIC="1")
            await self._relay.start()
            self._add(NO_ENGINE, DOCKER_HOST=f"unix://{self._socket}")
            try:
                yield self
            finally:
                await self._relay.cut()

    async def break_all(self) -> None:
        """Fill the disk and cut the engine; the clock is wrong from the start."""
        if self._disk is not None:
            self._disk.fill(leave=_DISK_LEFT_BYTES)
        await self._relay.cut()

    def _add(self, kind: str, **variables: str) -> None:
        name = f"worker-{self._next}"
        self._next += 1
        self.environment[name] = variables
        self.kinds[name] = kind


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder that is removed afterwards; its path is short enough for a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="workerpool-hostile-") as folder:
        yield Path(folder)
