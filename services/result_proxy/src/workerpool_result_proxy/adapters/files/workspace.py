"""Temporary files of uploads, removed with the upload or, after a crash, at the next start."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from workerpool_kit.logs import get_logger

from workerpool_result_proxy.adapters.files.incoming_archive import IncomingFile
from workerpool_result_proxy.adapters.files.threads import FileThreads
from workerpool_result_proxy.app.completion import run_to_completion
from workerpool_result_proxy.domain.archive_rules import ArchiveLimits
from workerpool_result_proxy.domain.results import Declaration

log = get_logger()

_LOCK = "lock"


class TemporaryFolder:
    """The `Workspace` port: a folder under `parent`, held by a lock that ends with the process, even on a crash."""

    def __init__(self, parent: Path, threads: FileThreads, limits: ArchiveLimits) -> None:
        self._parent = parent
        self._threads = threads
        self._limits = limits
        self._root: Path | None = None
        self._lock: IO[str] | None = None

    def open(self) -> None:
        """Create the folder and remove those of dead processes. Raises `OSError` when `parent` is not writable."""
        self._parent.mkdir(parents=True, exist_ok=True)
        with (self._parent / "opening").open("w") as gate:
            # One process at a time: another could remove the new folder before its lock is taken.
            fcntl.flock(gate, fcntl.LOCK_EX)
            for folder in self._parent.glob("run-*"):
                if _abandoned(folder):
                    log.info("workspace.orphan_removed", folder=str(folder))
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
    async def incoming(self, declared: Declaration) -> AsyncIterator[IncomingFile]:
        """Give an empty incoming archive; see `Workspace`."""
        assert self._root is not None, "open the workspace first"
        folder = Path(tempfile.mkdtemp(dir=self._root))
        try:
            archive = IncomingFile(folder, declared, self._threads, self._limits)
            try:
                yield archive
            finally:
                archive.close()
        finally:
            await run_to_completion(self._threads.run(_remove, folder))


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
        log.error("workspace.removal_failed", folder=str(folder))
