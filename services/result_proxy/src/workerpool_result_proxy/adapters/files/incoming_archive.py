"""The `IncomingArchive` port: one upload in a folder of its own."""

from pathlib import Path
from typing import BinaryIO

from workerpool_poco.output_folder import read_computed, result_digest
from workerpool_poco.protocol.results import ResultDigestError

from workerpool_result_proxy.adapters.files.full_disk import full_disk_refused
from workerpool_result_proxy.adapters.files.threads import FileThreads
from workerpool_result_proxy.adapters.files.unpacking import unpack
from workerpool_result_proxy.domain.archive_rules import ArchiveLimits
from workerpool_result_proxy.domain.checksum import ChecksumVerifier
from workerpool_result_proxy.domain.results import Declaration
from workerpool_result_proxy.errors import ArchiveWithoutDigest


class IncomingFile:
    """Writes, hashes and unpacks in threads, which leaves the event loop free."""

    def __init__(
        self, folder: Path, declared: Declaration, threads: FileThreads, limits: ArchiveLimits
    ) -> None:
        """Create the file in the empty `folder`, which its creator removes. Raises `StorageFull`."""
        self._path = folder / "result.zip"
        self._unpacked = folder / "out"
        self._threads = threads
        self._limits = limits
        self._verifier = ChecksumVerifier(size=declared.size, sha256=declared.sha256)
        with full_disk_refused():
            self._file: BinaryIO = self._path.open("wb", buffering=0)

    @property
    def path(self) -> Path:
        """The file; see `IncomingArchive`."""
        return self._path

    async def append(self, chunk: bytes) -> None:
        """Write the next bytes; see `IncomingArchive`."""
        await self._threads.run(self._append, chunk)

    async def finish(self) -> None:
        """Check the complete file; see `IncomingArchive`."""
        self._file.close()
        self._verifier.finish()

    async def result_digest(self) -> bytes:
        """Unpack the archive and return its digest; see `IncomingArchive`."""
        return await self._threads.run(self._result_digest)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, chunk: bytes) -> None:
        self._verifier.add(chunk)
        rest = memoryview(chunk)
        with full_disk_refused():
            while rest:
                rest = rest[self._file.write(rest) :]

    def _result_digest(self) -> bytes:
        with full_disk_refused():
            self._unpacked.mkdir()
            unpack(self._path, self._unpacked, self._limits)
        try:
            return result_digest(self._unpacked, read_computed(self._unpacked))
        except ResultDigestError as error:
            raise ArchiveWithoutDigest(str(error), details={"cause": error.cause}) from error
