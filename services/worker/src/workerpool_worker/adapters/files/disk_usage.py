"""Measure the disk space and the number of files below a folder that an app writes to."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from workerpool_worker.domain.containers.disk import DiskUsage

_UNCOUNTED_FILES = 1 << 62
BLOCK_BYTES = 512
"""Unit of `st_blocks`, whatever the file system."""
_SKIPPED = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP})
"""Errors of entries that the app has just removed or replaced, or that this process may not read."""


class PathTooLong(Exception):
    """A folder is nested deeper than a path may be long, so its content cannot be measured."""


def disk_usage(root: Path, limit: DiskUsage) -> DiskUsage:
    """Return what a folder holds. Stop counting at `limit`, so that time and memory are bounded.

    Symbolic links are not followed and a file with several links counts once. Raises `PathTooLong`, and OSError if
    `root` itself cannot be read.
    """
    size, files = 0, 0
    linked: set[int] = set()
    folders = ["."]
    root_fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        while folders:
            name = folders.pop()
            for entry, stat in _entries(root_fd, name):
                if stat.st_nlink > 1 and not entry.is_dir(follow_symlinks=False):
                    if stat.st_ino in linked:
                        continue
                    linked.add(stat.st_ino)
                files += 1
                size += stat.st_blocks * BLOCK_BYTES
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{name}/{entry.name}")
                found = DiskUsage(size, files)
                if found.reaches(limit):
                    return found
    finally:
        os.close(root_fd)
    return DiskUsage(size, files)


def _entries(root_fd: int, name: str) -> Iterator[tuple["os.DirEntry[str]", os.stat_result]]:
    try:
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=root_fd)
    except OSError as problem:
        if problem.errno == errno.ENAMETOOLONG:
            raise PathTooLong from problem
        if name == "." or problem.errno not in _SKIPPED:
            raise
        return
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    stat = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                yield entry, stat
    finally:
        os.close(folder)


def free_space(path: Path) -> DiskUsage:
    """Return the free space of the file system of an existing path. Raises OSError."""
    space = os.statvfs(path)
    # Some file systems make inodes as they are needed and report none.
    files = space.f_favail if space.f_files else _UNCOUNTED_FILES
    return DiskUsage(space.f_bavail * space.f_frsize, files)
