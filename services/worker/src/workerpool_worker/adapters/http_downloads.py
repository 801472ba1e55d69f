"""Downloads over HTTP: streamed to disk, bounded in size, complete or absent."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from workerpool_kit.retry import Backoff, retry
from yarl import URL

from workerpool_worker.adapters.files.archive import file_sha256
from workerpool_worker.errors import DownloadFailed, HostStorageUnavailable

_ATTEMPTS = 3
_BACKOFF = Backoff(first_s=0.5, longest_s=5.0)
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=30.0)
_MAX_REDIRECTS = 20
_RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK_BYTES = 1 << 18
_URL_SAFE = "!#$%&'()*+,/:;=?@[]~"
"""Characters that stay as they are in a path and a query: the reserved ones and the escape character."""


class HttpDownloader:
    """Implements the `Downloader` port. The caller limits the total time."""

    def __init__(self, max_bytes: int) -> None:
        """Open a client session; call it in the event loop. `max_bytes` limits the size of each file."""
        self._max_bytes = max_bytes
        # Redirects to presigned URLs are valid only with their exact escapes. The environment is not trusted, since
        # it would add the operator's netrc passwords to requests that requesters choose; proxies are read below.
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, requote_redirect_url=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def fetch(self, url: str, target: Path) -> str:
        """Save a file and return its SHA-256 as `0x…` text. An existing file is only hashed.

        Raises `DownloadFailed` or `HostStorageUnavailable`. Connection errors and the statuses of an overloaded
        server are retried three times.
        """
        if await asyncio.to_thread(target.exists):
            return (await asyncio.to_thread(file_sha256, target))[0]
        try:
            shown = _without_secrets(url)
        except ValueError as malformed:
            raise DownloadFailed(f"not a URL: {malformed}") from malformed
        if urlsplit(url).scheme not in ("http", "https"):
            raise DownloadFailed(f"only http and https files can be downloaded, not {shown}")
        try:
            return await retry(
                lambda: self._fetch_once(url, target),
                what="download a file",
                on=(_TransientFailure,),
                backoff=_BACKOFF,
                attempts=_ATTEMPTS,
                url=shown,
            )
        except _TransientFailure as failure:
            raise DownloadFailed(f"{shown} cannot be downloaded: {failure}") from failure
        except OSError as failure:
            raise HostStorageUnavailable(f"{shown} cannot be saved: {failure.strerror}") from failure

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
        async with self._response(url) as response:
            with unfinished.open("wb") as file:
                while chunk := await _read(response):
                    size += len(chunk)
                    if size > self._max_bytes:
                        raise DownloadFailed(
                            f"{_without_secrets(url)} is larger than {self._max_bytes} bytes"
                        )
                    await asyncio.to_thread(_append, chunk, digest, file)
        return digest.hexdigest()

    @asynccontextmanager
    async def _response(self, url: str) -> AsyncIterator[aiohttp.ClientResponse]:
        async with await self._request(url) as response:
            if response.status in _RETRIED_STATUSES:
                raise _TransientFailure(f"the server answered {response.status}")
            if not 200 <= response.status < 300:
                raise DownloadFailed(
                    f"{_without_secrets(url)} cannot be downloaded: the server answered {response.status}"
                )
            yield response

    async def _request(self, url: str) -> aiohttp.ClientResponse:
        try:
            return await self._session.get(
                _exact_url(url), proxy=_proxy_of(url), max_redirects=_MAX_REDIRECTS
            )
        except (aiohttp.ClientConnectionError, TimeoutError) as failure:
            raise _TransientFailure(_describe(failure)) from failure
        except (aiohttp.ClientError, ValueError) as failure:
            # The text of these errors can contain the URL with its query, so only their kind is shown.
            raise DownloadFailed(
                f"{_without_secrets(url)} cannot be downloaded: {type(failure).__name__}"
            ) from None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the next bytes, empty at the end. Raises `_TransientFailure` if content is missing or stops arriving."""
    try:
        return await response.content.read(_CHUNK_BYTES)
    except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, TimeoutError) as failure:
        raise _TransientFailure(_describe(failure)) from failure


def _append(chunk: bytes, digest: "hashlib._Hash", file: BinaryIO) -> None:
    digest.update(chunk)
    file.write(chunk)


class _TransientFailure(Exception):
    """The server may answer a retry."""


def _describe(failure: Exception) -> str:
    return str(failure) or type(failure).__name__


def _exact_url(url: str) -> URL:
    """Return the URL with unsafe characters escaped and existing escapes unchanged, as signatures in it require."""
    parts = urlsplit(url)
    return URL.build(
        scheme=parts.scheme,
        authority=URL(url).raw_authority,
        path=quote(parts.path, safe=_URL_SAFE) or "/",
        query_string=quote(parts.query, safe=_URL_SAFE),
        encoded=True,
    )


def _proxy_of(url: str) -> str | None:
    """Return the proxy that the environment (`HTTPS_PROXY`, `NO_PROXY` …) names for a URL."""
    parts = urlsplit(url)
    if parts.hostname is None or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)


def _without_secrets(url: str) -> str:
    """Return a URL without credentials and query, which often contain secrets."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))[:300]
