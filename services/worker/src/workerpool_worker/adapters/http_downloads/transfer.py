"""The body of an answer: streamed to disk within the limits of size, rate and free space."""

import asyncio
import shutil
from pathlib import Path

import aiohttp

from workerpool_worker.adapters.http_downloads.failures import TransientFailure
from workerpool_worker.adapters.http_downloads.partial import PartialFile
from workerpool_worker.domain.fetching.limits import DownloadLimits, QuotaExceeded
from workerpool_worker.errors import DownloadFailed, HostStorageUnavailable

_CHUNK_BYTES = 1 << 18
_DISK_CHECK_BYTES = 64 << 20
_SMALL_BYTES = 1 << 16
"""So few bytes are hashed and written sooner than a thread would begin."""


class Transfer:
    """Saves one body: a whole file or its rest."""

    def __init__(
        self, response: aiohttp.ClientResponse, limits: DownloadLimits, partial: PartialFile
    ) -> None:
        self._response = response
        self._limits = limits
        self._partial = partial
        self._loop = asyncio.get_running_loop()
        self._period_end = self._loop.time() + limits.rate_period_s
        self._period_bytes = 0

    async def save(self) -> None:
        """Append the body to the bytes that have arrived.

        Raises `DownloadFailed`, `TransientFailure`, `HostStorageUnavailable`, OSError.
        """
        folder = self._partial.path.parent
        self._check_announced_size(folder)
        unchecked = 0
        with self._partial.open() as file:
            while chunk := await self._read():
                self._count(len(chunk))
                unchecked += len(chunk)
                if unchecked >= _DISK_CHECK_BYTES:
                    self._check_disk(folder, 0)
                    unchecked = 0
                began = self._loop.time()
                if len(chunk) <= _SMALL_BYTES:
                    self._partial.append(chunk, file)
                else:
                    await asyncio.to_thread(self._partial.append, chunk, file)
                self._period_end += self._loop.time() - began  # The server does not answer for a slow disk.

    def _check_announced_size(self, folder: Path) -> None:
        announced = self._response.content_length
        if announced is not None and self._partial.size + announced > self._limits.max_file_bytes:
            raise self._file_too_large()
        if announced is not None and not self._partial.quota.fits(announced):
            raise self._task_too_large()
        self._check_disk(folder, announced or 0)

    def _count(self, size: int) -> None:
        self._partial.size += size
        self._period_bytes += size
        try:
            self._partial.quota.take(size)
        except QuotaExceeded:
            raise self._task_too_large() from None
        if self._partial.size > self._limits.max_file_bytes:
            raise self._file_too_large()

    def _check_disk(self, folder: Path, size: int) -> None:
        free = shutil.disk_usage(folder).free
        if free - size < self._limits.free_disk_bytes:
            raise HostStorageUnavailable(
                f"{free} bytes are free on the disk of {folder}; {size} more are needed, and "
                f"{self._limits.free_disk_bytes} have to stay free: free some space"
            )

    async def _read(self) -> bytes:
        """Return the next bytes, empty at the end. Raises `DownloadFailed` if they arrive too slowly."""
        while True:
            if self._loop.time() >= self._period_end:
                self._end_period()
            try:
                async with asyncio.timeout_at(self._period_end):
                    return await self._response.content.read(_CHUNK_BYTES)
            except TimeoutError:
                continue
            except (aiohttp.ClientError, OSError) as failure:
                raise TransientFailure(
                    "the server ended the transfer before the file was complete"
                ) from failure

    def _end_period(self) -> None:
        if self._period_bytes < self._limits.min_bytes_per_s * self._limits.rate_period_s:
            raise DownloadFailed(
                f"it arrives at less than {self._limits.min_bytes_per_s} bytes per second"
                f" ({self._period_bytes} bytes in the last {self._limits.rate_period_s:g} s)"
            )
        self._period_end = self._loop.time() + self._limits.rate_period_s
        self._period_bytes = 0

    def _file_too_large(self) -> DownloadFailed:
        return DownloadFailed(f"it is larger than {self._limits.max_file_bytes} bytes, the limit of one file")

    def _task_too_large(self) -> DownloadFailed:
        return DownloadFailed(
            f"the task's files are larger than {self._partial.quota.max_bytes} bytes, the limit of one task"
        )
