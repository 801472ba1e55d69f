"""Folders as apps leave them."""

import os
from pathlib import Path


def nest(folder: Path, name: str, levels: int) -> None:
    """Create folders in folders, deeper than a path may be long, with a file in each."""
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=descriptor)
        inner = os.open(name, os.O_RDONLY, dir_fd=descriptor)
        os.close(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=inner))
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
