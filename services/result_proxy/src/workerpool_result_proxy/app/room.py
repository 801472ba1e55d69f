"""Room on the disks: uploads are refused before the first byte when a disk would be too full."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from workerpool_kit.logs import get_logger

from workerpool_result_proxy.errors import StorageFull

log = get_logger()

FreeBytes = Callable[[], Awaitable[int | None]]
"""Returns the free bytes of one disk, None when it is unknown."""


class Room:
    """Counts the bytes that uploads may still write, and keeps `floor` bytes free on each disk."""

    def __init__(self, temporary: FreeBytes, stored: FreeBytes, *, floor: int) -> None:
        """Prepare; `temporary` is the disk of temporary files, `stored` that of the store of archives."""
        self._disks = (("for temporary files", temporary), ("of the store of archives", stored))
        self._floor = floor
        self._reserved = [0, 0]

    @asynccontextmanager
    async def reserved(self, temporary: int, stored: int) -> AsyncIterator[None]:
        """Reserve bytes on both disks for one upload. Raises `StorageFull`."""
        wanted = (temporary, stored)
        for index in (0, 1):
            self._reserved[index] += wanted[index]
        try:
            for index, (name, free_bytes) in enumerate(self._disks):
                await self._check(self._reserved[index], name, free_bytes, wanted[index])
            yield
        finally:
            for index in (0, 1):
                self._reserved[index] -= wanted[index]

    async def _check(self, reserved: int, name: str, free_bytes: FreeBytes, wanted: int) -> None:
        free = await free_bytes()
        # Bytes of uploads in progress count in full, although a part of them is written: a disk never overfills.
        if free is None or free - reserved >= self._floor:
            return
        log.warning("upload.no_room", disk=name, free=free, reserved=reserved, wanted=wanted)
        raise StorageFull(
            f"the disk {name} has {free >> 20} MiB free; after this archive of {wanted >> 20} MiB and those in "
            f"progress less than the floor of {self._floor >> 20} MiB would be left; try again later, and tell the "
            "pool's operator to make room",
            details={"free": free, "floor": self._floor},
        )
