"""Relays of connections that a test cuts, holds or points elsewhere, between a process and what it depends on."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from workerpool_kit.runtime.tasks import end_tasks

Address = tuple[str, int] | Path
"""Host and port, or the path of a Unix socket."""

DOCKER_ENGINE = Path(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").partition("://")[2])


class Relay:
    """Listens at `address` and forwards each connection to `target`. Use it in a running loop."""

    def __init__(self, address: Address, target: Address) -> None:
        self.address = address
        self.target = target
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._forwards = asyncio.Event()
        self._forwards.set()

    async def start(self) -> None:
        """Listen and forward."""
        if isinstance(self.address, Path):
            self._server = await asyncio.start_unix_server(self._accept, self.address)
        else:
            self._server = await asyncio.start_server(self._accept, *self.address)

    async def cut(self) -> None:
        """Refuse new connections and close the open ones, as a dead process does."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if isinstance(self.address, Path):
            self.address.unlink(missing_ok=True)
        await end_tasks(*self._connections)

    async def point_to(self, target: Address) -> None:
        """Forward to another target from now on, also what was connected before."""
        await self.cut()
        self.target = target
        await self.start()

    def hang(self) -> None:
        """Accept and keep every connection, and forward nothing from now on."""
        self._forwards.clear()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Relay]:
        """Forward inside a context."""
        await self.start()
        try:
            yield self
        finally:
            await self.cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            there = await _connect(self.target)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._send(reader, there[1]))
                    both.create_task(self._pump(there[0], writer))
            finally:
                there[1].close()
        except* (OSError, asyncio.CancelledError):
            pass  # One side is gone, or the relay was cut.
        finally:
            writer.close()
            self._connections.discard(task)

    async def _send(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Forward what a client sends; a relay that reads it overrides this."""
        await self._pump(source, target)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(1 << 16):
            await self._forwards.wait()
            target.write(data)
            await target.drain()
        if target.can_write_eof():
            target.write_eof()


async def _connect(target: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(target, Path):
        return await asyncio.open_unix_connection(target)
    return await asyncio.open_connection(*target)
