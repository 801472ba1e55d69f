"""The refusal of a write on a full disk."""

from workerpool_kit.dependencies.disk_floor import BelowFloor
from workerpool_kit.errors import Kind
from workerpool_sms.app.storage_full import storage_full


def test_the_message_names_the_free_space_the_floor_and_the_next_step() -> None:
    refused = storage_full(BelowFloor(free=300 << 20, reserved=8 << 10, floor=256 << 20))
    assert (refused.kind, refused.reason) == (Kind.UNAVAILABLE, "STORAGE_FULL")
    assert refused.message == (
        "the disk of this SMS has 300 MiB free, and 256 MiB must stay free; retry later, and tell the operator of "
        "this SMS to free space"
    )
    assert refused.details == {"free": str(300 << 20), "floor": str(256 << 20)}
