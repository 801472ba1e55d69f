"""The fetcher of input files and datasets: raw bytes, complete or absent, within limits, from public addresses."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from workerpool_kit.retry import Backoff, retry
from workerpool_kit.runtime.threads import in_daemon_thread

from workerpool_worker.adapters.http_downloads.failures import (
    TransientFailure,
    of_another_server,
    of_exception,
    of_status,
)
from workerpool_worker.adapters.http_downloads.gateway_answers import check_gateway_answer
from workerpool_worker.adapters.http_downloads.partial import PARTIAL, RANGE_REFUSED, PartialFile
from workerpool_worker.adapters.http_downloads.references import References
from workerpool_worker.adapters.http_downloads.resolver import Lookup, system_lookup
from workerpool_worker.adapters.http_downloads.routes import Routes
from workerpool_worker.adapters.http_downloads.transfer import Transfer
from workerpool_worker.domain.fetching.hosts import AddressRefused
from workerpool_worker.domain.fetching.limits import (
    MAX_REDIRECTS,
    DownloadLimits,
    QuotaExceeded,
    TaskQuota,
)
from workerpool_worker.domain.fetching.urls import DownloadUrl, InvalidUrl, parse_url
from workerpool_worker.errors import DownloadFailed, HostNetworkUnavailable, HostStorageUnavailable

_ATTEMPTS = 3
_BACKOFF = Backoff(first_s=0.5, longest_s=5.0)
_PROGRESS_BYTES = 64 << 20
"""Bytes that an attempt with its retries must transfer for an unstable download to continue."""
_OK = 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class HttpDownloader:
    """Implements the `Downloader` port. The caller limits the total time."""

    def __init__(
        self,
        limits: DownloadLimits,
        *,
        reference_urls: Sequence[str] = (),
        lookup: Lookup = system_lookup,
    ) -> None:
        """Open the client sessions; call it in the event loop.

        Args:
            limits: Limits of sizes, times and addresses.
            reference_urls: Servers that answer unless this host's network is down.
            lookup: Resolves host names.
        """
        self._limits = limits
        self._routes = Routes(limits, lookup)
        self._references = References(reference_urls, self._routes)

    async def close(self) -> None:
        """Close the connections."""
        await self._routes.close()

    async def network_works(self) -> bool:
        """Return whether a reference server answers, so that this host's network works."""
        return await self._references.any_answers()

    async def fetch(
        self, url: str, target: Path, quota: TaskQuota, *, is_gateway: bool = False, is_ipfs: bool = False
    ) -> str:
        """Save a file and return its SHA-256 as `0x…` text. An existing file is only counted and hashed.

        `is_gateway` says that the operator chose the server, so that its address is not checked; `is_ipfs` that the
        server is a gateway of IPFS, whose own pages are refused. Connection errors and the statuses of an overloaded
        server are retried three times, and a broken transfer resumes if the server supports it. Raises
        `DownloadFailed` (`ServerDown`, `ServerBusy`), `HostNetworkUnavailable` or `HostStorageUnavailable`.
        """
        try:
            parsed = parse_url(url)
        except InvalidUrl as invalid:
            raise DownloadFailed(str(invalid)) from invalid
        if _has_arrived(target):
            return await self._count_existing(target, quota)
        partial = PartialFile(target.with_name(target.name + ".part"), quota)
        try:
            await self._save(_Attempt(parsed, partial, is_gateway, is_ipfs), target)
        except TransientFailure as failure:
            message = f"{parsed} cannot be downloaded: {failure}"
            if failure.may_be_host and not await self._references.any_answers():
                raise HostNetworkUnavailable(
                    f"{message}; no reference server answers either: check this host's DNS, proxy, certificates and "
                    "network"
                ) from failure
            raise failure.error(message) from failure
        except DownloadFailed as failure:
            raise type(failure)(f"{parsed} cannot be downloaded: {failure}") from failure
        except OSError as failure:
            raise HostStorageUnavailable(f"{parsed} cannot be saved: {failure.strerror}") from failure
        return partial.digest

    async def _save(self, attempt: "_Attempt", target: Path) -> None:
        """Save the file, in as many transfers as bring it on. A cancelled one holds no quota and no disk space."""
        partial = attempt.partial
        try:
            while True:
                before = partial.size
                try:
                    await retry(
                        lambda: self._fetch_once(attempt),
                        what="download a file",
                        on=(TransientFailure,),
                        backoff=_BACKOFF,
                        attempts=_ATTEMPTS,
                        url=str(attempt.url),
                    )
                except TransientFailure:
                    if partial.size - before < _PROGRESS_BYTES:
                        raise
                else:
                    return partial.move_to(target)
        except BaseException:
            partial.discard()
            raise

    async def _count_existing(self, target: Path, quota: TaskQuota) -> str:
        digest, size = await in_daemon_thread(lambda: _digest_and_size(target), name="file-hash")
        try:
            quota.take(size)
        except QuotaExceeded:
            raise DownloadFailed(
                f"the task's files are larger than {quota.max_bytes} bytes, the limit of one task"
            ) from None
        return digest

    async def _fetch_once(self, attempt: "_Attempt") -> None:
        partial = attempt.partial
        try:
            async with self._answer(attempt) as response:
                partial.begin(response)
                if attempt.is_ipfs:
                    check_gateway_answer(response.headers)
                await Transfer(response, self._limits, partial).save()
            partial.check_complete()
        except TransientFailure:
            if not partial.can_continue:
                partial.discard()
            raise

    @asynccontextmanager
    async def _answer(self, attempt: "_Attempt") -> AsyncIterator[aiohttp.ClientResponse]:
        """Open the answer with the file, or with the requested rest."""
        limit_s = self._limits.answer_s
        try:
            async with asyncio.timeout(limit_s) as limit:
                response = await self._follow(attempt)
        except TimeoutError:
            if not limit.expired():
                raise
            raise DownloadFailed(f"the server gave no answer within {limit_s:g} s") from None
        try:
            yield response
        finally:
            response.close()

    async def _follow(self, attempt: "_Attempt") -> aiohttp.ClientResponse:
        url, headers = attempt.url, attempt.partial.request_headers
        for _ in range(MAX_REDIRECTS + 1):
            try:
                response, through_proxy = await self._request(url, attempt.is_operators(url), headers)
                if response.status == _OK or (headers and response.status == PARTIAL):
                    return response
                response.close()
                if headers and response.status == RANGE_REFUSED:
                    attempt.partial.discard()
                    raise TransientFailure("the server does not continue the file where its transfer ended")
                location = response.headers.get("Location")
                if response.status not in _REDIRECTS or location is None:
                    raise of_status(response.status, through_proxy=through_proxy, is_ipfs=attempt.is_ipfs)
            except (TransientFailure, DownloadFailed) as failure:
                if attempt.is_of_first_server(url):
                    raise
                raise of_another_server(failure) from failure
            try:
                url = url.redirect(location)
            except InvalidUrl as invalid:
                raise DownloadFailed(f"it redirects to a URL that is refused: {invalid}") from invalid
        raise DownloadFailed(f"it redirects more than {MAX_REDIRECTS} times")

    async def _request(
        self, url: DownloadUrl, is_operators: bool, headers: Mapping[str, str]
    ) -> tuple[aiohttp.ClientResponse, bool]:
        try:
            return await self._routes.get(url, is_operators=is_operators, headers=headers)
        except AddressRefused as refused:
            raise DownloadFailed(str(refused)) from refused
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            raise of_exception(failure) from failure


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One file to fetch from one URL."""

    url: DownloadUrl
    partial: PartialFile
    is_gateway: bool
    is_ipfs: bool

    def is_operators(self, url: DownloadUrl) -> bool:
        """Whether the operator chose the server of a URL, which redirects led to."""
        return self.is_gateway and url.origin == self.url.origin

    def is_of_first_server(self, url: DownloadUrl) -> bool:
        """Whether a URL belongs to the first server. Gateways give each content a name below their own."""
        return url.host == self.url.host or url.host.endswith("." + self.url.host)


def _has_arrived(target: Path) -> bool:
    """Return whether a file is complete. One call of the file system blocks less than a thread needs to begin."""
    return target.exists()


def _digest_and_size(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return "0x" + hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
