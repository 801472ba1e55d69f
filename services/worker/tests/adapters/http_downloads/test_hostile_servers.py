"""Case data-drip and its siblings: each hostile server ends within the limits, with a reason of its own."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_worker.adapters.http_downloads.partial import PartialFile
from workerpool_worker.domain.fetching.limits import TaskQuota
from workerpool_worker.errors import DownloadFailed

from services.worker.tests.adapters.http_downloads.conftest import MAX_BYTES, Fetch
from services.worker.tests.doubles.file_server import Answer, Exchange, FileServer

OK = b"HTTP/1.1 200 OK\r\n"
QUICK_ANSWER: dict[str, Any] = {"answer_s": 0.4}
QUICK_RATE: dict[str, Any] = {"rate_period_s": 0.3, "min_bytes_per_s": 1_000}


def sends(*parts: bytes, then: bytes = b"", pause_s: float = 0.0) -> Answer:
    """Send bytes, then repeat `then` with pauses until the client is gone; without `then` close the connection."""

    async def answer(exchange: Exchange) -> None:
        for part in parts:
            await exchange.send(part)
        while then:
            await exchange.send(then)
            await asyncio.sleep(pause_s)
        exchange.writer.close()

    return answer


async def silent(exchange: Exchange) -> None:
    await asyncio.sleep(10 * PATIENCE_S)


async def stops_in_the_body(exchange: Exchange) -> None:
    await exchange.send(OK + b"Content-Length: 100\r\n\r\nhello")
    await asyncio.sleep(10 * PATIENCE_S)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(
            sends(OK, b"Content-Length: 1000\r\n\r\n", then=b"x", pause_s=0.1),
            "it arrives at less than 1000 bytes per second",
            id="one byte at a time",
        ),
        pytest.param(
            sends(OK, b"\r\n", then=b"x", pause_s=0.1),
            "less than 1000 bytes",
            id="one byte at a time, no length",
        ),
        pytest.param(
            sends(OK, b"Transfer-Encoding: chunked\r\n\r\n", then=b"1\r\nx\r\n", pause_s=0.1),
            "less than 1000 bytes",
            id="one-byte chunks",
        ),
        pytest.param(stops_in_the_body, "less than 1000 bytes", id="silent in the body"),
        pytest.param(
            sends(OK, b"\r\n", then=bytes(1 << 16)), f"larger than {MAX_BYTES} bytes", id="endless body"
        ),
        pytest.param(
            sends(OK, b"Transfer-Encoding: chunked\r\n\r\n", then=b"ffff\r\n" + bytes(0xFFFF) + b"\r\n"),
            f"larger than {MAX_BYTES} bytes",
            id="endless chunks",
        ),
        pytest.param(
            sends(OK, b"Content-Length: 99999999999999\r\n\r\n"),
            f"larger than {MAX_BYTES} bytes",
            id="length beyond the limit",
        ),
        pytest.param(
            sends(OK, b"Content-Length: 10\r\n\r\nhello"),
            "ended the transfer before the file was complete",
            id="length too long",
        ),
        pytest.param(
            sends(OK, b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
            "ended the transfer before the file was complete",
            id="chunks without an end",
        ),
        pytest.param(
            sends(OK, b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
            "not valid HTTP",
            id="two lengths",
        ),
        pytest.param(sends(OK, b"Content-Length: -1\r\n\r\nhello"), "not valid HTTP", id="negative length"),
        pytest.param(sends(OK, b"Content-Length: 5x\r\n\r\nhello"), "not valid HTTP", id="malformed length"),
        pytest.param(
            sends(OK, b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello"),
            "not valid HTTP",
            id="length and chunks",
        ),
        pytest.param(
            sends(OK, b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello"),
            "cannot be downloaded",
            id="malformed chunk",
        ),
        pytest.param(sends(OK, then=b"X-Header: y\r\n"), "not valid HTTP", id="endless headers"),
        pytest.param(sends(OK, b"X: ", then=bytes(b"y" * 4096)), "not valid HTTP", id="endless header"),
        pytest.param(sends(b"HTTP/1.1 ", then=b"2" * 4096), "not valid HTTP", id="endless status line"),
        pytest.param(
            sends(OK, then=b"X: y\r\n", pause_s=0.1), "no answer within 0.4 s", id="headers one at a time"
        ),
        pytest.param(
            sends(then=b"HTTP/1.1 103 Early Hints\r\n\r\n", pause_s=0.01),
            "no answer within 0.4 s",
            id="endless early hints",
        ),
        pytest.param(
            sends(then=b"HTTP/1.1 103 Early Hints\r\n\r\n" * 500),
            "no answer within 0.4 s",
            id="flood of early hints",
        ),
        pytest.param(
            sends(OK, b"Transfer-Encoding: chunked\r\n\r\n5;x=", then=b"y" * 4096),
            "less than 1000 bytes|before the file was complete",
            id="endless chunk extension",
        ),
        pytest.param(
            sends(OK, b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", then=b"X: y\r\n"),
            "less than 1000 bytes|before the file was complete",
            id="endless trailers",
        ),
        pytest.param(silent, "no answer within 0.4 s", id="silent"),
        pytest.param(sends(b""), "closed the connection without an answer", id="closes at once"),
        pytest.param(sends(b"SSH-2.0-OpenSSH_9.6\r\n"), "not valid HTTP", id="not HTTP"),
        pytest.param(sends(b"\x16\x03\x01\x00\xa5\x01\x00"), "not valid HTTP", id="binary"),
        pytest.param(sends(b"hello\r\n\r\n"), "not valid HTTP", id="HTTP 0.9"),
    ],
)
async def test_data_drip(
    fetch: Fetch, files: FileServer, tmp_path: Path, answer: Answer, reason: str
) -> None:
    url = files.serves("/x", answer)
    # Each limit of time is short only where it is the reason: on a slow machine it ends any transfer.
    limits = (QUICK_RATE if "less than 1000 bytes" in reason else {}) | (
        QUICK_ANSWER if "no answer" in reason else {}
    )
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(DownloadFailed, match=reason) as failed:
            await fetch(f"{url}?key=secret", limits=limits)
    assert str(failed.value).startswith(f"{url} cannot be downloaded: ")
    assert "secret" not in str(failed.value)
    assert list(tmp_path.iterdir()) == []


async def test_data_drip_a_length_too_short(fetch: Fetch, files: FileServer) -> None:
    """Bytes after the announced end make the whole answer invalid."""
    with pytest.raises(DownloadFailed, match="not valid HTTP"):
        await fetch(files.serves("/x", sends(OK + b"Content-Length: 5\r\n\r\nhello, and more")))


async def test_data_drip_a_server_that_accepts_nothing(
    fetch: Fetch, files: FileServer, full_backlog: Callable[[], Awaitable[int]]
) -> None:
    with pytest.raises(DownloadFailed, match="does not accept connections"):
        await fetch(f"http://127.0.0.1:{await full_backlog()}/x", limits={"connect_s": 0.4})


async def test_data_drip_a_refused_connection(fetch: Fetch, closed_port: Callable[[], int]) -> None:
    with pytest.raises(DownloadFailed, match="connection refused"):
        await fetch(f"http://127.0.0.1:{closed_port()}/x")


async def test_a_slow_disk_is_not_a_slow_server(
    fetch: Fetch, files: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, period_s = PartialFile.append, 1.0
    pauses_s = iter((1.5 * period_s, 0.0))

    def slow_append(*arguments: Any) -> None:
        time.sleep(next(pauses_s))
        append(*arguments)

    monkeypatch.setattr(PartialFile, "append", slow_append)

    async def in_two_parts(exchange: Exchange) -> None:
        await exchange.send(OK + b"Content-Length: 10\r\n\r\nhello")
        await asyncio.sleep(0.1)
        await exchange.send(b"world")

    limits = {"rate_period_s": period_s, "min_bytes_per_s": 1_000}
    await fetch(files.serves("/x", in_two_parts), limits=limits)


async def test_files_of_one_task_share_a_quota(fetch: Fetch, files: FileServer, tmp_path: Path) -> None:
    url = files.serves("/x", bytes(600))
    quota = TaskQuota(1_000)
    await fetch(url, tmp_path / "1", quota=quota)
    with pytest.raises(DownloadFailed, match="larger than 1000 bytes, the limit of one task"):
        await fetch(url, tmp_path / "2", quota=quota)
    unannounced = files.serves("/endless", sends(OK, b"\r\n", then=bytes(100)))
    with pytest.raises(DownloadFailed, match="the limit of one task"):
        await fetch(unannounced, tmp_path / "3", quota=quota)
    assert quota.fits(400)


async def test_a_cancelled_download_ends_at_once(fetch: Fetch, files: FileServer, tmp_path: Path) -> None:
    download: asyncio.Future[str] = asyncio.ensure_future(fetch(files.serves("/x", stops_in_the_body)))
    async with asyncio.timeout(PATIENCE_S):
        while not (tmp_path / "file.part").exists():
            await asyncio.sleep(0.01)
    download.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(download, PATIENCE_S)
    assert list(tmp_path.iterdir()) == []
