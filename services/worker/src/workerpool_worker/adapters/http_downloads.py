"""Files over HTTP: streamed to disk, bounded in size, complete or not there at all."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit, urlunsplit

import httpx
import structlog

from workerpool_worker.adapters.files.archive import file_sha256
from workerpool_worker.errors import DownloadFailed, HostFull

log = structlog.get_logger()

_TRIES = 3
_FIRST_PAUSE_S = 0.5
_TIME_LIMITS = httpx.Timeout(30.0, connect=10.0)
_RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


class HttpDownloader:
    """Implements the ``Downloader`` port. The caller bounds the total time."""

    def __init__(self, largest_bytes: int) -> None:
        self._largest = largest_bytes
        self._client = httpx.AsyncClient(follow_redirects=True, timeout=_TIME_LIMITS)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def fetch(self, url: str, target: Path) -> str:
        """Save a file and return its SHA-256 as ``0x…``; one that is there already is only hashed.

        Raises DownloadFailed, or HostFull. Servers that are overloaded or drop the connection are asked again a few
        times.
        """
        if await asyncio.to_thread(target.exists):
            return (await asyncio.to_thread(file_sha256, target))[0]
        if urlsplit(url).scheme not in ("http", "https"):
            raise DownloadFailed(f"only http and https files can be fetched, not {_shown(url)}")
        for attempt in range(1, _TRIES + 1):
            try:
                return await self._fetch_once(url, target)
            except (httpx.TransportError, _TryAgain) as trouble:
                if attempt == _TRIES:
                    raise DownloadFailed(
                        f"{_shown(url)} cannot be fetched: {trouble or type(trouble).__name__}"
                    ) from trouble
                log.info("download.retried", url=_shown(url), error=str(trouble))
            except (httpx.HTTPError, httpx.InvalidURL) as failure:
                raise DownloadFailed(f"{_shown(url)} cannot be fetched: {failure}") from failure
            except OSError as failure:
                raise HostFull(f"{_shown(url)} cannot be kept here: {failure.strerror}") from failure
            await asyncio.sleep(_FIRST_PAUSE_S * 2 ** (attempt - 1) * random.uniform(0.5, 1.0))
        raise AssertionError("unreachable")

    async def _fetch_once(self, url: str, target: Path) -> str:
        unfinished = target.with_name(target.name + ".part")
        try:
            digest = await self._stream(url, unfinished)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        unfinished.chmod(0o644)
        unfinished.replace(target)
        return "0x" + digest

    async def _stream(self, url: str, unfinished: Path) -> str:
        digest = hashlib.sha256()
        size = 0
        async with self._answer(url) as answer:
            with unfinished.open("wb") as file:
                async for chunk in answer.aiter_bytes(1 << 18):
                    size += len(chunk)
                    if size > self._largest:
                        raise DownloadFailed(f"{_shown(url)} is larger than {self._largest} bytes")
                    await asyncio.to_thread(_keep, chunk, digest, file)
        return digest.hexdigest()

    @asynccontextmanager
    async def _answer(self, url: str) -> AsyncIterator[httpx.Response]:
        async with self._client.stream("GET", url) as answer:
            if answer.status_code in _RETRIED_STATUSES:
                raise _TryAgain(f"the server answered {answer.status_code}")
            if not answer.is_success:
                raise DownloadFailed(
                    f"{_shown(url)} cannot be fetched: the server answered {answer.status_code}"
                )
            yield answer


def _keep(chunk: bytes, digest: "hashlib._Hash", file: BinaryIO) -> None:
    digest.update(chunk)
    file.write(chunk)


class _TryAgain(Exception):
    """The server may do better in a moment."""


def _shown(url: str) -> str:
    """Return a URL without credentials and query: both often carry secrets."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))[:300]
