"""Temporary files of uploads, gone with the upload or, after a crash, at the next start."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

import structlog

from workerpool_result_proxy.adapters.file_threads import FileThreads, to_the_end

log = structlog.get_logger()

_LOCK = "lock"


class Workspace:
    """One folder under `parent`, held by a lock that ends with the process, however it ends."""

    def __init__(self, parent: Path, threads: FileThreads) -> None:
        self._parent = parent
        self._threads = threads
        self._root: Path | None = None
        self._lock: IO[str] | None = None

    def open(self) -> None:
        """Take a new folder and remove those of processes that died. Raises `OSError` when `parent` is not writable."""
        self._parent.mkdir(parents=True, exist_ok=True)
        with (self._parent / "opening").open("w") as gate:
            # One process at a time, or a folder could be removed before its lock is taken.
            fcntl.flock(gate, fcntl.LOCK_EX)
            for folder in self._parent.glob("run-*"):
                if _abandoned(folder):
                    log.info("workspace.leftover_removed", folder=str(folder))
                    shutil.rmtree(folder, ignore_errors=True)
            self._root = Path(tempfile.mkdtemp(prefix="run-", dir=self._parent))
            self._lock = (self._root / _LOCK).open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Remove the folder and everything in it."""
        if self._root is not None and self._lock is not None:
            shutil.rmtree(self._root, ignore_errors=True)
            self._lock.close()

    @asynccontextmanager
    async def folder(self) -> AsyncIterator[Path]:
        """Give an empty folder for one upload, removed at the end whatever happens."""
        assert self._root is not None, "open the workspace first"
        folder = Path(tempfile.mkdtemp(dir=self._root))
        try:
            yield folder
        finally:
            await to_the_end(self._threads.run(_remove, folder))


def _abandoned(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except FileNotFoundError:
        pass
    return True


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if os.path.lexists(folder):
        log.error("workspace.folder_not_removed", folder=str(folder))
