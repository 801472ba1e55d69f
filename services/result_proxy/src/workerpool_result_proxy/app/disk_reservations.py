"""Reservations of disk space, which refuse an upload before its first byte when a disk would be too full."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from workerpool_kit.dependencies.disk_floor import BelowFloor, DiskFloor, FreeBytes
from workerpool_kit.logs import get_logger

from workerpool_result_proxy.errors import StorageFull

log = get_logger()


class DiskReservations:
    """Reservations that keep `floor` bytes free on each disk to which uploads write."""

    def __init__(self, temporary: FreeBytes, stored: FreeBytes, *, floor: int) -> None:
        """Create without reservations; `temporary` is the disk of temporary files, `stored` that of the archives."""
        self._disks = (
            ("for temporary files", DiskFloor(temporary, floor)),
            ("of the store of archives", DiskFloor(stored, floor)),
        )

    @asynccontextmanager
    async def reserved(self, temporary: int, stored: int) -> AsyncIterator[None]:
        """Reserve bytes on both disks for one upload. Raises `StorageFull`."""
        async with AsyncExitStack() as reserved:
            for (name, disk), wanted in zip(self._disks, (temporary, stored), strict=True):
                try:
                    await reserved.enter_async_context(disk.reserved(wanted))
                except BelowFloor as full:
                    raise _refusal(full, name, wanted) from full
            yield


def _refusal(full: BelowFloor, disk: str, wanted: int) -> StorageFull:
    log.warning("upload.space_exhausted", disk=disk, free=full.free, reserved=full.reserved, wanted=wanted)
    return StorageFull(
        f"the disk {disk} has {full.free >> 20} MiB free; after this archive of {wanted >> 20} MiB and those in "
        f"progress, less than the floor of {full.floor >> 20} MiB would be left; retry later, and tell the pool's "
        "operator to free space",
        details={"free": full.free, "floor": full.floor},
    )
