"""Exclusion of admin methods from each other, and of everything else during a restore."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from workerpool_sms.errors import AdminRunning, RestoreRunning


class Gate:
    """The gate to the database for use cases and admin methods."""

    def __init__(self) -> None:
        self._restoring = False
        self._running = ""
        self._users = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def use(self) -> Iterator[None]:
        """Hold the gate for one use case. Raises RestoreRunning while a backup is being restored."""
        if self._restoring:
            raise RestoreRunning("a backup is being restored; retry in a minute")
        self._users += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._idle.set()

    @asynccontextmanager
    async def admin(self, operation: str, *, restores: bool = False) -> AsyncIterator[None]:
        """Hold the gate for one admin method; one that restores first waits for the calls in flight.

        Raises AdminRunning while another one runs, RestoreRunning when that one restores.
        """
        if self._restoring:
            raise RestoreRunning("a backup is being restored; retry in a minute")
        if self._running:
            raise AdminRunning(f"{self._running} is running; retry when it has ended")
        self._running, self._restoring = operation, restores
        try:
            if restores:
                await self._idle.wait()
            yield
        finally:
            self._running, self._restoring = "", False
