"""A small volume is full after it was filled, also while others write to it."""

import contextlib
import shutil
import threading

from small_volumes import MountVolume


def test_a_volume_that_others_write_to_is_filled(small_volume: MountVolume) -> None:
    volume = small_volume(64 << 20)
    over = threading.Event()

    def write_until_full() -> None:
        with contextlib.suppress(OSError), (volume.path / "log").open("ab", buffering=0) as log:
            while not over.is_set():
                log.write(bytes(5000))

    writing = threading.Thread(target=write_until_full)
    writing.start()
    volume.fill()
    over.set()
    writing.join()
    assert shutil.disk_usage(volume.path).free == 0
