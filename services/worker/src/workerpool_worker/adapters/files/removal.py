"""Removal of folders that apps created, whatever their permissions and depth."""

import os
import shutil
import time
from pathlib import Path


def remove_tree(path: Path) -> None:
    """Remove a folder with its content if it exists. Raises OSError."""
    if not path.exists() and not path.is_symlink():
        return
    try:
        shutil.rmtree(path)
    except (OSError, RecursionError):
        _remove_flattened(path)


def _remove_flattened(root: Path) -> None:
    """Remove a folder that `shutil.rmtree` cannot remove.

    Apps create folders that their owner may not list, and folders nested deeper than a path may be long. Each folder
    is made accessible and moved to the top before it is emptied.
    """
    prefix = f"moved-{time.time_ns()}-"
    folders, moved = [root], 0
    while folders:
        folder = folders.pop()
        for entry in list(os.scandir(folder)):
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            moved += 1
            os.chmod(entry.path, 0o700)
            folders.append(Path(entry.path).rename(root / f"{prefix}{moved}"))
        if folder != root:
            folder.rmdir()
    root.rmdir()
