"""A disk keeps a floor of free bytes."""

import pytest
from workerpool_kit.dependencies.disk_floor import BelowFloor, DiskFloor

FLOOR = 100


class Disk:
    """A disk whose free bytes a test sets."""

    def __init__(self, free: int | None) -> None:
        self.free = free

    async def free_bytes(self) -> int | None:
        """Return the free bytes."""
        return self.free


async def test_a_write_may_reach_the_floor_and_not_pass_it() -> None:
    floor = DiskFloor(Disk(FLOOR + 10).free_bytes, FLOOR)
    async with floor.reserved(10):
        pass
    with pytest.raises(BelowFloor) as refused:
        async with floor.reserved(11):
            pytest.fail("the write was not refused")
    assert (refused.value.free, refused.value.reserved, refused.value.floor) == (FLOOR + 10, 11, FLOOR)


async def test_writes_in_progress_count_until_they_end() -> None:
    floor = DiskFloor(Disk(FLOOR + 10).free_bytes, FLOOR)
    async with floor.reserved(6):
        with pytest.raises(BelowFloor):
            async with floor.reserved(5):
                pytest.fail("the write was not refused")
        async with floor.reserved(4):
            pass
    with pytest.raises(RuntimeError, match="the write failed"):
        async with floor.reserved(10):
            raise RuntimeError("the write failed")
    async with floor.reserved(10):
        pass


async def test_a_disk_of_unknown_size_refuses_nothing() -> None:
    async with DiskFloor(Disk(None).free_bytes, FLOOR).reserved(1 << 60):
        pass


async def test_a_disk_below_its_floor_refuses_an_empty_write() -> None:
    with pytest.raises(BelowFloor):
        async with DiskFloor(Disk(FLOOR - 1).free_bytes, FLOOR).reserved(0):
            pytest.fail("the write was not refused")
