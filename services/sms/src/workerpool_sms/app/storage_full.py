"""The refusal of a write for which the disk has no room."""

from workerpool_kit.dependencies.disk_floor import BelowFloor

from workerpool_sms.errors import StorageFull


def storage_full(full: BelowFloor) -> StorageFull:
    """Return what the caller of a refused write reads."""
    return StorageFull(
        f"the disk of this SMS has {full.free >> 20} MiB free, and {full.floor >> 20} MiB must stay free; try again "
        "later, and tell the operator of this SMS to make room",
        details={"free": full.free, "floor": full.floor},
    )
