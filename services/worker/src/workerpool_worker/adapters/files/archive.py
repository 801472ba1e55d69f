"""The hash of a result archive, as its upload declares it."""

import asyncio
import hashlib
from collections import OrderedDict
from pathlib import Path
from typing import TypeAlias

from workerpool_kit.runtime.threads import in_daemon_thread

_MOST = 256
"""Archives whose hashes are kept: far more than wait for an upload."""

_Identity: TypeAlias = tuple[int, int, int, int]
_Hash: TypeAlias = tuple[str, int]


def file_sha256(path: Path) -> _Hash:
    """Return the SHA-256 of a file as `0x…` text and its size in bytes."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return "0x" + digest.hexdigest(), file.tell()


class ArchiveHashes:
    """Hashes each archive once: ahead of its upload where there is time, and never again for a retry."""

    def __init__(self) -> None:
        self._hashes: OrderedDict[_Identity, asyncio.Future[_Hash]] = OrderedDict()

    async def of(self, archive: Path) -> _Hash:
        """Return the SHA-256 of an archive as `0x…` text and its size in bytes. Raises OSError.

        A caller that is cancelled leaves the work to the next one.
        """
        identity = await in_daemon_thread(lambda: _identity(archive), name="archive-stat")
        hashing = self._hashes.get(identity)
        if hashing is None:
            hashing = asyncio.ensure_future(
                in_daemon_thread(lambda: file_sha256(archive), name="archive-hash")
            )
            hashing.add_done_callback(lambda done: self._ended(identity, done))
            self._hashes[identity] = hashing
            if len(self._hashes) > _MOST:
                self._hashes.popitem(last=False)
        return await asyncio.shield(hashing)

    def _ended(self, identity: _Identity, hashing: "asyncio.Future[_Hash]") -> None:
        # A file that could not be read may be readable at the next attempt.
        if hashing.cancelled() or hashing.exception() is not None:
            self._hashes.pop(identity, None)


def _identity(archive: Path) -> _Identity:
    """Return what differs between any two archives, also at one path."""
    found = archive.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
