"""The `IncomingArchive` port: one upload in its own folder."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from workerpool_poco.protocol.result_archive.rules import ArchiveRules

from workerpool_result_proxy.adapters.files.archive_reading import archive_digest
from workerpool_result_proxy.adapters.files.full_disk import full_disk_refused
from workerpool_result_proxy.adapters.files.streamed_entries import StreamedEntries
from workerpool_result_proxy.adapters.files.threads import FileThreads
from workerpool_result_proxy.domain.checksum import ChecksumVerifier
from workerpool_result_proxy.domain.results import Declaration

_PIECE_BYTES = 1 << 20


class IncomingFile:
    """One upload in a file; writing, hashing and reading run in threads, off the event loop."""

    def __init__(
        self, folder: Path, declared: Declaration, threads: FileThreads, rules: ArchiveRules
    ) -> None:
        """Create the file in the empty `folder`, which the caller removes later. Raises `StorageFull`."""
        self.folder = folder
        self._path = folder / "result.zip"
        self._threads = threads
        self._rules = rules
        self._verifier = ChecksumVerifier(size=declared.size, sha256=declared.sha256)
        self._entries = StreamedEntries(rules)
        with full_disk_refused():
            self._file: BinaryIO = self._path.open("wb", buffering=0)

    @property
    def received(self) -> int:
        """The number of received bytes; see `IncomingArchive`."""
        return self._verifier.received

    async def append(self, chunk: bytes) -> None:
        """Write the next bytes; see `IncomingArchive`."""
        await self._threads.run(self._append, chunk)

    async def content(self) -> AsyncIterator[bytes]:
        """Yield the received bytes; see `IncomingArchive`."""
        rest = self.received
        with self._path.open("rb") as file:
            while rest and (piece := await self._threads.run(file.read, min(rest, _PIECE_BYTES))):
                rest -= len(piece)
                yield piece

    async def finish(self) -> None:
        """Check the complete file; see `IncomingArchive`."""
        self._verifier.finish()

    async def result_digest(self) -> bytes:
        """Check the archive and return its digest; see `IncomingArchive`."""
        return await self._threads.run_long(archive_digest, self._path, self._rules, self._entries)

    def close(self) -> None:
        """Close the file; after its removal this frees its bytes, which takes a while for gigabytes."""
        self._file.close()

    def _append(self, chunk: bytes) -> None:
        self._verifier.check_size(chunk)
        # Bytes of a failed write do not count: the next write starts at the same position.
        position, rest = self._verifier.received, memoryview(chunk)
        with full_disk_refused():
            while rest:
                written = os.pwrite(self._file.fileno(), rest, position)
                position, rest = position + written, rest[written:]
        self._verifier.add(chunk)
        self._entries.feed(chunk)
