"""A full volume is named, and forgotten once it has room."""

from pathlib import Path

import pytest
from small_volumes import MountVolume
from workerpool_kit.dependencies.report import DependencyProblem
from workerpool_kit.dependencies.volume import journal_waits, probe_volume, volume_dependency
from workerpool_kit.health import Health


async def test_a_volume_with_room_and_a_missing_folder(tmp_path: Path) -> None:
    await probe_volume(tmp_path, 1)
    with pytest.raises(DependencyProblem, match="No such file"):
        await probe_volume(tmp_path / "gone")
    assert volume_dependency("workspace", "DIR", tmp_path).address == str(tmp_path)


def test_health_tells_that_a_journal_waits_for_room(tmp_path: Path) -> None:
    health = Health()
    waits = journal_waits(health, "DIR", tmp_path / "journal.db")
    assert health.snapshot()["status"] == "UP"
    waits("the journal cannot be written: database or disk is full")
    assert health.snapshot()["status"] == "OUT_OF_SERVICE"
    told = health.snapshot()["components"]["journal"]["details"]
    assert (told["variable"], told["address"]) == ("DIR", str(tmp_path / "journal.db"))
    assert "disk is full" in told["problem"]
    waits(None)
    assert health.snapshot()["status"] == "UP"


async def test_a_full_volume_is_named_until_it_has_room_again(small_volume: MountVolume) -> None:
    volume = small_volume(1 << 20, inodes=16)
    await probe_volume(volume.path, 1 << 16)
    volume.fill(leave=1 << 14)
    with pytest.raises(DependencyProblem, match="KiB free, less than 64 KiB"):
        await probe_volume(volume.path, 1 << 16)
    volume.free()
    await probe_volume(volume.path, 1 << 16)
    with pytest.raises(OSError, match="No space left"):
        for number in range(100):
            (volume.path / str(number)).touch()
    with pytest.raises(DependencyProblem, match="no inode"):
        await probe_volume(volume.path, 1 << 16)
