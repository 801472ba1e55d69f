"""The refusal of a write that would make the disk too full."""

from workerpool_kit.dependencies.disk_floor import BelowFloor

from workerpool_sms.errors import StorageFull


def storage_full(full: BelowFloor) -> StorageFull:
    """Return the error for the caller of a refused write."""
    return StorageFull(
        f"the disk of this SMS has {full.free >> 20} MiB free, and {full.floor >> 20} MiB must stay free; retry "
        "later, and tell the operator of this SMS to free space",
        details={"free": full.free, "floor": full.floor},
    )
