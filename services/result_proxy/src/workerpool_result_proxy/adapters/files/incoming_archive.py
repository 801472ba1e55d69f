"""The `IncomingArchive` port: one upload in its own folder."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from workerpool_kit.runtime.tasks import start_task
from workerpool_poco.protocol.result_archive.rules import ArchiveRules

from workerpool_result_proxy.adapters.files.archive_reading import archive_digest
from workerpool_result_proxy.adapters.files.full_disk import full_disk_refused
from workerpool_result_proxy.adapters.files.sequential_file import SequentialFile
from workerpool_result_proxy.adapters.files.streamed_entries import StreamedEntries
from workerpool_result_proxy.adapters.files.threads import FileThreads
from workerpool_result_proxy.app.completion import outlast
from workerpool_result_proxy.domain.checksum import ChecksumVerifier
from workerpool_result_proxy.domain.results import Declaration

_PIECE_BYTES = 1 << 20
_BATCH_BYTES = 4 << 20
"""Bytes that threads process together: starting three threads for each MiB costs a tenth of hashing it."""


class IncomingFile:
    """One upload in a file.

    Three threads write it, hash it, and hash its entries at the same time, while the next batch of bytes arrives.
    """

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
        self._batch: list[bytes] = []
        self._batch_bytes = 0
        self._processing: asyncio.Future[None] | None = None
        self._is_settled = True
        self._failure: Exception | None = None
        with full_disk_refused():
            self._file = SequentialFile(self._path)

    @property
    def received(self) -> int:
        """The number of received bytes; see `IncomingArchive`."""
        return 0 if self._failure else self._verifier.received

    async def append(self, chunk: bytes) -> None:
        """Add the next bytes; see `IncomingArchive`."""
        self._verifier.count(chunk)
        self._is_settled = False
        self._batch.append(chunk)
        self._batch_bytes += len(chunk)
        if self._batch_bytes >= _BATCH_BYTES:
            await self._processed()
            if self._failure:
                raise self._failure
            self._start()

    async def settle(self) -> None:
        """Process all bytes; see `IncomingArchive`."""
        await self._processed()
        if self._is_settled or self._failure:
            return
        self._start()
        await self._processed()
        await self._step(self._file.flush)
        self._is_settled = True

    async def content(self) -> AsyncIterator[bytes]:
        """Yield the received bytes; see `IncomingArchive`."""
        await self.settle()
        rest = self.received
        with self._path.open("rb") as file:
            while rest and (piece := await self._threads.run(file.read, min(rest, _PIECE_BYTES))):
                rest -= len(piece)
                yield piece

    async def finish(self) -> None:
        """Check the complete file; see `IncomingArchive`."""
        await self.settle()
        if self._failure:
            raise self._failure
        self._verifier.finish()

    async def result_digest(self) -> bytes:
        """Check the archive and return its digest; see `IncomingArchive`."""
        return await self._threads.run_long(archive_digest, self._path, self._rules, self._entries)

    def close(self) -> None:
        """Close the file; after its removal this frees its bytes, which takes a while for gigabytes."""
        self._file.close()

    def _start(self) -> None:
        """Start to process the batch; call it when the one before is processed."""
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        self._processing = start_task(self._process(batch), name="incoming-archive")

    async def _process(self, batch: Sequence[bytes]) -> None:
        functions = (self._file.write, self._verifier.hash, self._entries.feed)
        await asyncio.gather(*(self._step(_with_each, function, batch) for function in functions))

    async def _step(self, function: Callable[..., None], *arguments: Any) -> None:
        """Run a function in a thread; its failure is that of the upload."""
        try:
            with full_disk_refused():
                await self._threads.run(function, *arguments)
        except Exception as failure:
            self._failure = self._failure or failure

    async def _processed(self) -> None:
        if self._processing is not None:
            await outlast(self._processing)


def _with_each(function: Callable[[bytes], None], batch: Sequence[bytes]) -> None:
    for piece in batch:
        function(piece)
