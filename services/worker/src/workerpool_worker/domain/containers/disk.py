"""Limits of the disk space that one app may use, and the sentences for an app that reached one."""

from dataclasses import dataclass

_MIB = 1 << 20
_BYTES_PER_FILE = 16 << 10
"""An ordinary ext4 file system has one inode for each 16 KiB, so an app gets the same share of both."""
_MIN_FILES = 10_000


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """Allocated bytes, and the number of files and folders. A sparse file counts what the disk holds of it."""

    size_bytes: int = 0
    files: int = 0

    def __add__(self, other: "DiskUsage") -> "DiskUsage":
        return DiskUsage(self.size_bytes + other.size_bytes, self.files + other.files)

    def reaches(self, limit: "DiskUsage") -> bool:
        """Return whether one of the two figures is at its limit or above."""
        return self.size_bytes >= limit.size_bytes or self.files >= limit.files


@dataclass(frozen=True, slots=True)
class DiskLimits:
    """What one app may write, in bytes, and what must stay free on the host.

    `app_bytes` holds twice: for `/iexec_out`, and for all other paths together.
    """

    app_bytes: int = 10 << 30
    floor_bytes: int = 2 << 30

    @property
    def app(self) -> DiskUsage:
        """Limit of one app in one of the two places. The number of files follows from the bytes."""
        return DiskUsage(self.app_bytes, max(self.app_bytes // _BYTES_PER_FILE, _MIN_FILES))

    @property
    def floor(self) -> DiskUsage:
        """What must stay free on each file system."""
        return DiskUsage(self.floor_bytes, self.floor_bytes // _BYTES_PER_FILE)

    def is_full(self, free: DiskUsage) -> bool:
        """Return whether less than the floor is free."""
        return free.size_bytes < self.floor.size_bytes or free.files < self.floor.files


def excess(place: str, limit: DiskUsage, used: DiskUsage) -> str:
    """Return what an app did that reached its limit in `place`, without its subject; empty if it did not."""
    if used.size_bytes >= limit.size_bytes:
        return f"wrote more than its limit of {limit.size_bytes // _MIB} MiB to {place}"
    if used.files >= limit.files:
        return f"created more than its limit of {limit.files} files in {place}"
    return ""


def nesting_excess(place: str) -> str:
    """Return what an app did whose folders are nested deeper than a path may be long."""
    return f"nested folders deeper than 4096 characters of path in {place}"
