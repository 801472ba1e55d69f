"""A small volume is full when it is filled, and has room again when it is freed."""

import errno
from pathlib import Path

import pytest
from small_volumes import MountVolume, SmallVolume


def test_a_volume_is_filled_and_freed(small_volume: MountVolume) -> None:
    volume = small_volume(1 << 20)
    volume.fill()
    with pytest.raises(OSError, match="No space left") as refused:
        (volume.path / "log").write_bytes(b"x")
    assert refused.value.errno == errno.ENOSPC
    volume.free()
    (volume.path / "log").write_bytes(b"x")


def test_its_folder_is_removed_with_it(small_volume: MountVolume, tmp_path: Path) -> None:
    small_volume(1 << 20)
    with SmallVolume.mounted(tmp_path / "other", 1 << 20) as other:
        assert other.path.is_mount()
    assert not other.path.exists()
