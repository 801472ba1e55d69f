"""Small volumes that can be filled: a tmpfs each."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MountVolume = Callable[..., "SmallVolume"]
"""Mounts a volume of a size in bytes, and optionally a number of inodes; the fixture `small_volume`."""

_FILLER = "filler"
_PIECE = bytes(4096)
_ATTEMPTS = 100


class VolumeRefused(RuntimeError):
    """This user cannot mount a volume."""


@dataclass(frozen=True)
class SmallVolume:
    """A mounted volume of a fixed size."""

    path: Path

    @classmethod
    @contextlib.contextmanager
    def mounted(cls, path: Path, size: int, *, inodes: int = 0) -> Iterator[SmallVolume]:
        """Mount a volume of `size` bytes inside a context; raises `VolumeRefused`. No inodes means the usual number."""
        path.mkdir(parents=True, exist_ok=True)
        options = f"size={size},uid={os.getuid()},gid={os.getgid()},mode=0700"
        if inodes:
            options += f",nr_inodes={inodes}"
        _as_root("mount", "-t", "tmpfs", "-o", options, "workerpool-tests", str(path))
        try:
            yield cls(path)
        finally:
            # Lazily: an ending process may still have its log open.
            _as_root("umount", "--lazy", str(path))
            path.rmdir()

    def fill(self, *, leave: int = 0) -> None:
        """Leave `leave` bytes free."""
        with (self.path / _FILLER).open("ab", buffering=0) as filler:
            # Nothing is taken of a volume that has become too small for it, because another process wrote meanwhile.
            for _ in range(_ATTEMPTS):
                if not (left := shutil.disk_usage(self.path).free):
                    break
                with contextlib.suppress(OSError):
                    os.posix_fallocate(filler.fileno(), os.fstat(filler.fileno()).st_size, left)
            with contextlib.suppress(OSError):
                while filler.write(_PIECE):
                    pass
        if leave:
            os.truncate(self.path / _FILLER, os.stat(self.path / _FILLER).st_size - leave)

    def free(self) -> None:
        """Give the space back."""
        (self.path / _FILLER).unlink(missing_ok=True)


def _as_root(*command: str) -> None:
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    try:
        subprocess.run([*sudo, *command], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        detail = getattr(error, "stderr", "") or error
        raise VolumeRefused(f"{command[0]} needs root or sudo without a password: {detail}") from error
