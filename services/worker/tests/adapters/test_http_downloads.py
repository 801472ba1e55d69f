"""Downloads: limits, retries, redirects, and no secret in an error."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
import stamina
from aiohttp import web
from workerpool_worker.adapters import http_downloads
from workerpool_worker.adapters.http_downloads import HttpDownloader
from workerpool_worker.errors import DownloadFailed, HostStorageUnavailable

SHA256_OF_HELLO = "0x2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
MAX_BYTES = 1 << 20


class Files:
    """A server with a few files that counts its requests."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[web.BaseRequest] = []
        self.answers: list[int] = []
        """Statuses of the next answers of `/busy`, before it answers 200."""

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        path = request.path
        if path == "/hello" or request.raw_path.startswith("http://files.test/"):
            return web.Response(body=b"hello")
        if path == "/large":
            return web.Response(body=bytes(MAX_BYTES + 1))
        if path == "/moved":
            raise web.HTTPFound("/hello")
        if path == "/loop":
            raise web.HTTPFound("/loop?signature=secret")
        if path == "/local":
            raise web.HTTPFound("file:///etc/passwd")
        if path == "/busy":
            return web.Response(status=self.answers.pop(0) if self.answers else 200, body=b"hello")
        if path == "/cut":
            return await self._cut(request)
        if path == "/hanging":
            await asyncio.sleep(60)
        return web.Response(status=404)

    async def _cut(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        await response.write(b"hello")
        assert request.transport is not None
        request.transport.close()
        return response


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    files = Files()
    runner = web.ServerRunner(web.Server(files.serve), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    files.url = f"http://{host}:{port}"
    yield files
    await runner.cleanup()


Fetch = Callable[..., Awaitable[str]]


@pytest.fixture
async def fetch(files: Files, tmp_path: Path) -> AsyncIterator[Fetch]:
    """Download a path of the server, without pauses between attempts."""
    downloader = HttpDownloader(MAX_BYTES)

    async def fetch(path: str, target: Path = tmp_path / "file") -> str:
        url = path if path.startswith("http") else f"{files.url}{path}"
        with stamina.set_testing(True, attempts=3):
            return await downloader.fetch(url, target)

    yield fetch
    await downloader.close()


async def test_a_file_is_downloaded_once(fetch: Fetch, files: Files, tmp_path: Path) -> None:
    for _ in range(2):
        assert await fetch("/hello") == SHA256_OF_HELLO
    assert (tmp_path / "file").read_bytes() == b"hello"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644
    assert len(files.requests) == 1


async def test_redirects_are_followed(fetch: Fetch) -> None:
    assert await fetch("/moved") == SHA256_OF_HELLO


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_an_overloaded_server_is_retried(fetch: Fetch, files: Files, status: int) -> None:
    files.answers = [status, status]
    assert await fetch("/busy") == SHA256_OF_HELLO
    assert len(files.requests) == 3


async def test_retries_end_after_three_attempts(fetch: Fetch, files: Files) -> None:
    files.answers = [503] * 9
    with pytest.raises(DownloadFailed, match="the server answered 503"):
        await fetch("/busy")
    assert len(files.requests) == 3


@pytest.mark.parametrize(
    ("path", "requests", "text"),
    [
        ("/nothing?key=secret", 1, "the server answered 404"),
        ("/large?key=secret", 1, "is larger than 1048576 bytes"),
        ("/cut?key=secret", 3, "cannot be downloaded"),
        ("/loop?key=secret", 20, "TooManyRedirects"),
        ("/local?key=secret", 1, "cannot be downloaded"),
    ],
)
async def test_a_failed_download_leaves_no_file_and_no_secret(
    fetch: Fetch, files: Files, tmp_path: Path, path: str, requests: int, text: str
) -> None:
    with pytest.raises(DownloadFailed, match=text) as failed:
        await fetch(path)
    assert "secret" not in str(failed.value)
    assert list(tmp_path.iterdir()) == []
    assert len(files.requests) == requests


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (
            "ftp://user:secret@files.test/x?key=secret",
            "only http and https files can be downloaded, not ftp://files",
        ),
        ("http://user:secret@127.0.0.1:9/x?key=secret", "http://127.0.0.1:9/x cannot be downloaded"),
        ("http://[::1/x?key=secret", "not a URL"),
        ("http://127.0.0.1:99999/x?key=secret", "cannot be downloaded"),
    ],
)
async def test_an_unusable_url_is_refused_without_its_secrets(tmp_path: Path, url: str, text: str) -> None:
    downloader = HttpDownloader(MAX_BYTES)
    with (
        stamina.set_testing(True, attempts=3),
        pytest.raises(DownloadFailed, match=re.escape(text)) as failed,
    ):
        await downloader.fetch(url, tmp_path / "file")
    await downloader.close()
    assert "secret" not in str(failed.value)


async def test_a_server_that_stops_sending_is_given_up(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_downloads, "_TIMEOUT", aiohttp.ClientTimeout(total=None, sock_read=0.1))
    downloader = HttpDownloader(MAX_BYTES)
    with stamina.set_testing(True, attempts=3), pytest.raises(DownloadFailed):
        await downloader.fetch(f"{files.url}/hanging", tmp_path / "file")
    await downloader.close()


async def test_a_full_disk_is_not_the_files_failure(fetch: Fetch, tmp_path: Path) -> None:
    """Otherwise the worker would contribute that the requester's file is unavailable."""
    (tmp_path / "file.part").symlink_to("/dev/full")
    with pytest.raises(HostStorageUnavailable, match="No space left on device"):
        await fetch("/hello")
    assert list(tmp_path.iterdir()) == []


async def test_a_url_is_requested_with_its_exact_escapes(fetch: Fetch, files: Files) -> None:
    """A signature in a presigned URL covers its exact spelling."""
    with pytest.raises(DownloadFailed):
        await fetch("/a%2Fb%7Ec d?sig=x%3D%2By+z~é")
    assert files.requests[0].raw_path == "/a%2Fb%7Ec%20d?sig=x%3D%2By+z~%C3%A9"


async def test_the_proxy_of_the_environment_is_used(
    fetch: Fetch, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", files.url)
    assert await fetch("http://files.test/x") == SHA256_OF_HELLO
    assert files.requests[0].headers["Host"] == "files.test"


async def test_passwords_of_netrc_are_not_sent(
    fetch: Fetch, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requesters choose the URLs, so the operator's passwords must stay on the host."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login operator password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    await fetch("/hello")
    assert "Authorization" not in files.requests[0].headers
