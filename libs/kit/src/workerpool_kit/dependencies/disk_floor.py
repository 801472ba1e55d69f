"""A minimum of free bytes on a disk: a write below it is refused before it starts."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

FreeBytes = Callable[[], Awaitable[int | None]]
"""Returns the free bytes of one disk, None when it is unknown."""


class BelowFloor(Exception):
    """A write would leave less than the floor. Sizes in bytes; `reserved` counts every write in progress."""

    def __init__(self, *, free: int, reserved: int, floor: int) -> None:
        super().__init__(
            f"{free >> 20} MiB are free, {reserved} bytes are reserved, and {floor >> 20} MiB must stay free"
        )
        self.free = free
        self.reserved = reserved
        self.floor = floor


class DiskFloor:
    """Reserves the bytes of writes in progress, and keeps `floor` bytes free on one disk."""

    def __init__(self, free_bytes: FreeBytes, floor: int) -> None:
        self._free_bytes = free_bytes
        self._floor = floor
        self._reserved = 0

    @asynccontextmanager
    async def reserved(self, wanted: int) -> AsyncIterator[None]:
        """Reserve `wanted` bytes for one write. Raises `BelowFloor`. A disk of unknown size refuses nothing."""
        self._reserved += wanted
        try:
            free = await self._free_bytes()
            # Count writes in progress in full, although part of them is already written: the disk never overfills.
            if free is not None and free - self._reserved < self._floor:
                raise BelowFloor(free=free, reserved=self._reserved, floor=self._floor)
            yield
        finally:
            self._reserved -= wanted
