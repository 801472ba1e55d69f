"""Downloads: raw bytes, redirects, retries, proxies, and no secret in an error."""

import base64
import hashlib
import re
import shutil
import socket
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
from workerpool_worker.adapters.http_downloads import transfer
from workerpool_worker.domain.fetching.limits import MAX_REDIRECTS, TaskQuota
from workerpool_worker.errors import DownloadFailed, HostNetworkUnavailable, HostStorageUnavailable

from services.worker.tests.adapters.http_downloads.conftest import Fetch
from services.worker.tests.doubles.file_server import Answer, Exchange, FileServer

HELLO = b"hello"
SHA256_OF_HELLO = "0x" + hashlib.sha256(HELLO).hexdigest()


def redirect_to(location: str, status: int = 302) -> Answer:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(status, Location=location)

    return answer


def status_of(*statuses: int) -> Answer:
    """Answer with each status in turn, then with 200."""
    left = list(statuses)

    async def answer(exchange: Exchange) -> None:
        status = left.pop(0) if left else 200
        await exchange.reply(status, HELLO if status == 200 else b"")

    return answer


async def test_a_file_is_downloaded_once(fetch: Fetch, files: FileServer, tmp_path: Path) -> None:
    url = files.serves("/hello", HELLO)
    for _ in range(2):
        assert await fetch(url) == SHA256_OF_HELLO
    assert (tmp_path / "file").read_bytes() == HELLO
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644
    assert len(files.exchanges) == 1


async def test_an_existing_file_counts_against_the_quota(fetch: Fetch, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(HELLO)
    with pytest.raises(DownloadFailed, match="the limit of one task"):
        await fetch("http://files.test/x", quota=TaskQuota(4))


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "made-up"])
async def test_bytes_are_saved_as_stored(
    fetch: Fetch, files: FileServer, tmp_path: Path, encoding: str
) -> None:
    """A file that is stored compressed keeps its checksum."""

    async def answer(exchange: Exchange) -> None:
        await exchange.reply(200, b"\x1f\x8bnot decoded", Content_Encoding=encoding)

    await fetch(files.serves("/stored", answer))
    assert (tmp_path / "file").read_bytes() == b"\x1f\x8bnot decoded"
    assert files.exchanges[0].header("Accept-Encoding") == "identity"
    assert files.exchanges[0].header("Range") is None


@pytest.mark.parametrize("status", [201, 202, 203, 204, 206, 300, 304, 400, 401, 403, 404, 410, 501])
async def test_only_200_is_a_file(fetch: Fetch, files: FileServer, tmp_path: Path, status: int) -> None:
    with pytest.raises(DownloadFailed, match=f"the server answered {status}"):
        await fetch(files.serves("/x", status_of(status)))
    assert list(tmp_path.iterdir()) == []
    assert len(files.exchanges) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(fetch: Fetch, files: FileServer, status: int) -> None:
    files.serves("/hello", HELLO)
    assert await fetch(files.serves("/moved", redirect_to("hello", status))) == SHA256_OF_HELLO


async def test_a_redirect_loop_ends(fetch: Fetch, files: FileServer) -> None:
    with pytest.raises(DownloadFailed, match="redirects more than 10 times"):
        await fetch(files.serves("/loop", redirect_to("/loop?signature=secret")))
    assert len(files.exchanges) == MAX_REDIRECTS + 1


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://h/x", "http://", "http://[::1", "gopher://h", "http://h:99999", "\\\\h\\x"],
)
async def test_a_redirect_to_an_unusable_url_is_refused(
    fetch: Fetch, files: FileServer, location: str
) -> None:
    with pytest.raises(DownloadFailed):
        await fetch(files.serves("/moved", redirect_to(location)))


async def test_credentials_stay_at_their_origin(fetch: Fetch, files: FileServer) -> None:
    other = FileServer()
    await other.start()
    other.serves("/hello", HELLO)
    files.serves("/here", redirect_to(f"{other.url}/hello"))
    files.serves("/start", redirect_to("/here"))
    url = files.url.replace("http://", "http://me:secr%65t@")
    assert await fetch(f"{url}/start") == SHA256_OF_HELLO
    await other.stop()
    sent = "Basic " + base64.b64encode(b"me:secret").decode()
    assert [each.header("Authorization") for each in files.exchanges] == [sent, sent]
    assert other.exchanges[0].header("Authorization") is None
    assert other.exchanges[0].header("Referer") is None


async def test_cookies_are_not_kept(fetch: Fetch, files: FileServer, tmp_path: Path) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(302, Location="/hello", Set_Cookie="session=1")

    files.serves("/hello", HELLO)
    await fetch(files.serves("/cookie", answer))
    assert files.exchanges[1].header("Cookie") is None


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_an_overloaded_server_is_retried(fetch: Fetch, files: FileServer, status: int) -> None:
    assert await fetch(files.serves("/busy", status_of(status, status))) == SHA256_OF_HELLO
    assert len(files.exchanges) == 3


async def test_retries_end_after_three_attempts(fetch: Fetch, files: FileServer) -> None:
    with pytest.raises(DownloadFailed, match="the server answered 503"):
        await fetch(files.serves("/busy", status_of(*[503] * 9)))
    assert len(files.exchanges) == 3


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (
            "ftp://user:secret@files.test/x?key=secret",
            "only http and https files can be downloaded, not ftp://files",
        ),
        ("http://user:secret@127.0.0.1:9/x?key=secret", "http://127.0.0.1:9/x cannot be downloaded"),
        ("http://[::1/x?key=secret", "malformed"),
        ("http://127.0.0.1:99999/x?key=secret", "port"),
    ],
)
async def test_an_unusable_url_is_refused_without_its_secrets(fetch: Fetch, url: str, text: str) -> None:
    with pytest.raises(DownloadFailed, match=re.escape(text)) as failed:
        await fetch(url)
    assert "secret" not in str(failed.value)


async def test_a_failure_names_the_url_without_its_query(fetch: Fetch, files: FileServer) -> None:
    with pytest.raises(DownloadFailed) as failed:
        await fetch(f"{files.url}/missing?key=secret")
    assert str(failed.value) == f"{files.url}/missing cannot be downloaded: the server answered 404"


async def test_a_full_disk_is_not_the_files_failure(fetch: Fetch, files: FileServer, tmp_path: Path) -> None:
    """Otherwise the worker would contribute that the requester's file is unavailable."""
    (tmp_path / "file.part").symlink_to("/dev/full")
    with pytest.raises(HostStorageUnavailable, match="No space left on device"):
        await fetch(files.serves("/hello", HELLO))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("announced", [True, False])
async def test_free_disk_space_is_respected(
    fetch: Fetch, files: FileServer, monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    usage = namedtuple("usage", "total used free")
    free = 99 if announced else 200
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1000, 0, free))
    monkeypatch.setattr(transfer, "_DISK_CHECK_BYTES", 1)

    async def endless(exchange: Exchange) -> None:
        nonlocal free
        await exchange.send(b"HTTP/1.1 200 OK\r\n\r\n")
        free = 50
        while True:
            await exchange.send(bytes(1000))

    url = files.serves("/file", HELLO if announced else endless)
    with pytest.raises(HostStorageUnavailable, match="have to stay free"):
        await fetch(url, limits={"free_disk_bytes": 100})


async def test_a_url_is_requested_with_its_exact_escapes(fetch: Fetch, files: FileServer) -> None:
    """A signature in a presigned URL covers its exact spelling."""
    with pytest.raises(DownloadFailed):
        await fetch(f"{files.url}/a%2Fb%7Ec d?sig=x%3D%2By+z~é")
    assert files.exchanges[0].target == "/a%2Fb%7Ec%20d?sig=x%3D%2By+z~%C3%A9"


async def test_the_proxy_of_the_environment_is_used(
    fetch: Fetch, files: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that only the proxy can resolve is the proxy's business."""
    files.serves("http://files.test/x", HELLO)
    monkeypatch.setenv("http_proxy", files.url)
    assert await fetch("http://files.test/x", lookup=no_dns) == SHA256_OF_HELLO
    assert files.exchanges[0].header("Host") == "files.test"


async def no_dns(host: str) -> list[object]:
    raise socket.gaierror(socket.EAI_AGAIN, "no DNS")


@pytest.mark.parametrize("status", [407, 502, 503, 504])
async def test_a_proxy_that_refuses_everything_is_the_hosts_failure(
    fetch: Fetch, files: FileServer, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    for path in ("http://files.test/x", "http://reference.test/"):
        files.serves(path, status_of(*[status] * 9))
    if status != 407:
        files.serves("http://reference.test/", status_of(407))
    monkeypatch.setenv("http_proxy", files.url)
    with pytest.raises(HostNetworkUnavailable, match=f"answered {status}"):
        await fetch("http://files.test/x", lookup=no_dns, reference_urls=["http://reference.test/"])


async def test_a_proxy_that_cannot_reach_one_server_is_not_the_hosts_failure(
    fetch: Fetch, files: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.serves("http://files.test/x", status_of(*[502] * 9))
    files.serves("http://reference.test/", HELLO)
    monkeypatch.setenv("http_proxy", files.url)
    with pytest.raises(DownloadFailed, match="answered 502"):
        await fetch("http://files.test/x", lookup=no_dns, reference_urls=["http://reference.test/"])


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_an_unreachable_proxy_is_the_hosts_failure(
    fetch: Fetch, monkeypatch: pytest.MonkeyPatch, closed_port: Callable[[], int], scheme: str
) -> None:
    monkeypatch.setenv(f"{scheme}_proxy", f"http://127.0.0.1:{closed_port()}")
    with pytest.raises(HostNetworkUnavailable, match="HTTP proxy cannot be reached"):
        await fetch(f"{scheme}://files.test/x", lookup=no_dns, reference_urls=[f"{scheme}://reference.test/"])


async def test_passwords_of_netrc_are_not_sent(
    fetch: Fetch, files: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requesters choose the URLs, so the operator's passwords must stay on the host."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login operator password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    await fetch(files.serves("/hello", HELLO))
    assert files.exchanges[0].header("Authorization") is None
