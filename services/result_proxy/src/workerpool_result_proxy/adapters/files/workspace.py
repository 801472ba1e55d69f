"""Temporary files of uploads, removed with the upload or, after a crash, at the next start."""

import fcntl
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import IO

from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.result_archive.rules import ArchiveRules

from workerpool_result_proxy.adapters.files.full_disk import full_disk_refused
from workerpool_result_proxy.adapters.files.incoming_archive import IncomingFile
from workerpool_result_proxy.adapters.files.threads import FileThreads
from workerpool_result_proxy.app.completion import run_to_completion
from workerpool_result_proxy.domain.results import Declaration

log = get_logger()

_LOCK = "lock"
_PREFIX = "run-"


class TemporaryFolder:
    """The `Workspace` port: a folder under `parent` with a lock that ends with the process, even on a crash.

    `owner` identifies the process in the name of the folder and in the leases of its uploads.
    """

    def __init__(self, parent: Path, threads: FileThreads, rules: ArchiveRules) -> None:
        self._parent = parent
        self._threads = threads
        self._rules = rules
        self.owner = uuid.uuid4().hex
        self._root: Path | None = None
        self._lock: IO[str] | None = None

    def open(self) -> list[str]:
        """Create the folder and remove those of dead processes; return the owners of the removed ones.


        Raises `OSError` when `parent` is not writable.
        """
        self._parent.mkdir(parents=True, exist_ok=True)
        dead = []
        with (self._parent / "opening").open("w") as gate:
            # One process at a time, because another could remove the new folder before its lock is taken.
            fcntl.flock(gate, fcntl.LOCK_EX)
            for folder in self._parent.glob(f"{_PREFIX}*"):
                if _abandoned(folder):
                    log.info("workspace.orphan_removed", folder=str(folder))
                    shutil.rmtree(folder, ignore_errors=True)
                    dead.append(folder.name.removeprefix(_PREFIX))
            self._root = self._parent / f"{_PREFIX}{self.owner}"
            self._root.mkdir(mode=0o700)
            self._lock = (self._root / _LOCK).open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        return dead

    def close(self) -> None:
        """Remove the folder and everything in it."""
        if self._root is not None and self._lock is not None:
            shutil.rmtree(self._root, ignore_errors=True)
            self._lock.close()

    def create(self, declared: Declaration) -> IncomingFile:
        """Return an empty incoming archive; see `Workspace`."""
        assert self._root is not None, "open the workspace first"
        with full_disk_refused():
            folder = Path(tempfile.mkdtemp(dir=self._root))
        try:
            return IncomingFile(folder, declared, self._threads, self._rules)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    async def remove(self, archive: IncomingFile) -> None:
        """Remove an incoming archive; see `Workspace`. Its bytes are freed later, so that the caller need not wait."""
        await run_to_completion(self._threads.run(_remove, archive.folder))
        self._threads.start(archive.close)

    async def free_bytes(self) -> int:
        """Return the free bytes of the volume; see `Workspace`."""
        volume = await self._threads.run(os.statvfs, self._parent)
        return volume.f_bavail * volume.f_frsize


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
