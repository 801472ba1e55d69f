"""The contract of the `Downloader` port, over every implementation."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from workerpool_worker.adapters.http_downloads.downloader import HttpDownloader
from workerpool_worker.app.ports import Downloader
from workerpool_worker.domain.fetching.addresses import AllowedHosts
from workerpool_worker.domain.fetching.limits import DownloadLimits, TaskQuota
from workerpool_worker.errors import DownloadFailed

from services.worker.tests.doubles.downloader import FakeDownloader

CONTENT = b"hello"
DIGEST = "0x" + hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(params=["http", "memory"])
async def site(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Downloader, str]]:
    """A downloader and the URL of a site whose only file is `/hello`."""
    if request.param == "memory":
        yield FakeDownloader({"http://files.test/hello": CONTENT}), "http://files.test"
        return

    async def serve(call: web.BaseRequest) -> web.Response:
        return web.Response(body=CONTENT) if call.path == "/hello" else web.Response(status=404)

    runner = web.ServerRunner(web.Server(serve), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    downloader = HttpDownloader(DownloadLimits(free_disk_bytes=0, allowed=AllowedHosts.parse(["127.0.0.1"])))
    yield downloader, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await downloader.close()
    await runner.cleanup()


async def test_a_file_is_saved_and_its_hash_returned(site: tuple[Downloader, str], tmp_path: Path) -> None:
    downloader, url = site
    assert await downloader.fetch(f"{url}/hello", tmp_path / "file", TaskQuota(100)) == DIGEST
    assert (tmp_path / "file").read_bytes() == CONTENT


async def test_an_existing_file_is_kept(site: tuple[Downloader, str], tmp_path: Path) -> None:
    downloader, url = site
    (tmp_path / "file").write_bytes(CONTENT)
    assert await downloader.fetch(f"{url}/missing", tmp_path / "file", TaskQuota(100)) == DIGEST


async def test_a_missing_file_leaves_nothing(site: tuple[Downloader, str], tmp_path: Path) -> None:
    downloader, url = site
    with pytest.raises(DownloadFailed, match="404"):
        await downloader.fetch(f"{url}/missing", tmp_path / "file", TaskQuota(100))
    assert list(tmp_path.iterdir()) == []


async def test_a_file_counts_against_the_quota(site: tuple[Downloader, str], tmp_path: Path) -> None:
    downloader, url = site
    quota = TaskQuota(8)
    await downloader.fetch(f"{url}/hello", tmp_path / "file", quota)
    assert quota.fits(3)
    assert not quota.fits(4)


async def test_the_network_works(site: tuple[Downloader, str]) -> None:
    downloader, _ = site
    assert await downloader.network_works()
