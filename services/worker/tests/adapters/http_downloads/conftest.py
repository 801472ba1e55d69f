"""A file server on loopback and downloaders that may reach it."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import stamina
from patience import PATIENCE_S
from workerpool_worker.adapters.http_downloads.downloader import HttpDownloader
from workerpool_worker.domain.fetching.addresses import AllowedHosts
from workerpool_worker.domain.fetching.limits import DownloadLimits, TaskQuota

MAX_BYTES = 1 << 20
LIMITS = DownloadLimits(
    max_file_bytes=MAX_BYTES,
    max_task_bytes=2 * MAX_BYTES,
    connect_s=PATIENCE_S,
    answer_s=2 * PATIENCE_S,
    rate_period_s=2 * PATIENCE_S,
    free_disk_bytes=0,
    allowed=AllowedHosts.parse(["127.0.0.1/32"]),
)

Fetch = Callable[..., Awaitable[str]]


@pytest.fixture
async def fetch(tmp_path: Path) -> AsyncIterator[Fetch]:
    """Download a URL to `file` in the test's folder, without pauses between attempts.

    Keyword arguments replace limits (`limits=`), the quota, the target, and the arguments of the downloader.
    """
    opened: list[HttpDownloader] = []

    async def fetch(
        url: str,
        target: Path | None = None,
        *,
        quota: TaskQuota | None = None,
        is_gateway: bool = False,
        is_ipfs: bool = False,
        limits: dict[str, Any] | None = None,
        **parts: Any,
    ) -> str:
        downloader = HttpDownloader(replace(LIMITS, **(limits or {})), **parts)
        opened.append(downloader)
        quota = quota or TaskQuota(LIMITS.max_task_bytes)
        with stamina.set_testing(True, attempts=3):
            return await downloader.fetch(
                url, target or tmp_path / "file", quota, is_gateway=is_gateway, is_ipfs=is_ipfs
            )

    yield fetch
    for downloader in opened:
        await downloader.close()


@pytest.fixture
def closed_port() -> Callable[[], int]:
    """Return a port of loopback on which nothing listens."""

    def port() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return port


@pytest.fixture
def full_backlog() -> Iterator[Callable[[], Awaitable[int]]]:
    """Return a port whose queue of new connections is full: the system drops further attempts."""
    opened: list[socket.socket] = []

    async def port() -> int:
        server = socket.socket()
        opened.append(server)
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
            opened.append(filler)
        return int(server.getsockname()[1])

    yield port
    for each in opened:
        each.close()
