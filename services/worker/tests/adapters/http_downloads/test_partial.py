"""Broken transfers: the rest is asked for if the server named the version of the file, and checked when it comes."""

import hashlib
from pathlib import Path

import pytest
from workerpool_worker.adapters.http_downloads import downloader
from workerpool_worker.adapters.http_downloads.partial import PartialFile
from workerpool_worker.domain.fetching.limits import TaskQuota
from workerpool_worker.errors import DownloadFailed

from services.worker.tests.adapters.http_downloads.conftest import Fetch
from services.worker.tests.doubles.file_server import Answer, Exchange, FileServer
from services.worker.tests.harness.waiting import wait_until

CONTENT = bytes(range(256)) * 64
TOTAL = len(CONTENT)
LAST = TOTAL - 1
SHA256 = "0x" + hashlib.sha256(CONTENT).hexdigest()
TAG = '"bafkreia"'


class Breaking:
    """Serves `CONTENT`, and ends each transfer after some bytes until it has done so a number of times.

    It waits for the bytes to reach the disk: what a client has not read when a connection ends is lost.
    """

    def __init__(self, part: Path, *, tag: str = TAG, breaks: int = 1, bytes_each: int = 5_000) -> None:
        self._part = part
        self._tag = tag
        self._breaks = breaks
        self._bytes_each = bytes_each

    async def __call__(self, exchange: Exchange) -> None:
        first = first_byte(exchange) if exchange.header("If-Range") == self._tag else 0
        body = CONTENT[first:]
        head = [f"HTTP/1.1 {206 if first else 200} Answer", f"Content-Length: {len(body)}"]
        if self._tag:
            head.append(f"ETag: {self._tag}")
        if first:
            head.append(f"Content-Range: bytes {first}-{LAST}/{TOTAL}")
        await exchange.send("\r\n".join([*head, "", ""]).encode())
        if not self._breaks:
            return await exchange.send(body)
        self._breaks -= 1
        await exchange.send(body[: self._bytes_each])
        await on_disk(self._part, first + self._bytes_each)
        exchange.writer.close()


async def on_disk(part: Path, size: int) -> None:
    """Wait until a file has a size."""
    await wait_until(lambda: part.exists() and part.stat().st_size >= size, what=f"{size} bytes on disk")


def first_byte(exchange: Exchange) -> int:
    """Return the offset that a request asks for."""
    return int((exchange.header("Range") or "bytes=0-").removeprefix("bytes=").removesuffix("-"))


def then(first: Answer, second: Answer) -> Answer:
    """Answer the first request in one way and the others in another."""
    answers = iter([first])

    async def answer(exchange: Exchange) -> None:
        await next(answers, second)(exchange)

    return answer


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """The unfinished file of the fixture `fetch`."""
    return tmp_path / "file.part"


async def test_a_broken_transfer_continues_where_it_ended(
    fetch: Fetch, files: FileServer, tmp_path: Path, part: Path
) -> None:
    quota = TaskQuota(len(CONTENT))
    assert await fetch(files.serves("/x", Breaking(part, breaks=2)), quota=quota) == SHA256
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert [first_byte(each) for each in files.exchanges] == [0, 5_000, 10_000]
    assert [each.header("If-Range") for each in files.exchanges] == [None, TAG, TAG]
    assert not quota.fits(1), "each byte counts once"


@pytest.mark.parametrize("tag", ["", 'W/"weak"', "unquoted", '""'])
async def test_without_a_strong_tag_the_file_is_downloaded_again(
    fetch: Fetch, files: FileServer, tmp_path: Path, tag: str, part: Path
) -> None:
    """A weak tag may name two versions, whose parts would make a third file."""
    quota = TaskQuota(len(CONTENT))
    assert await fetch(files.serves("/x", Breaking(part, tag=tag)), quota=quota) == SHA256
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert [first_byte(each) for each in files.exchanges] == [0, 0]
    assert not quota.fits(1)


async def test_a_changed_file_is_downloaded_again(
    fetch: Fetch, files: FileServer, tmp_path: Path, part: Path
) -> None:
    """The server compares the tag (If-Range) and sends the whole of the new file with status 200."""
    url = files.serves("/x", then(Breaking(part, tag='"old"'), Breaking(part, tag='"new"', breaks=0)))
    assert await fetch(url) == SHA256
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert [first_byte(each) for each in files.exchanges] == [0, 5_000]


def rest(content_range: str, body: bytes, tag: str = TAG, status: int = 206) -> Answer:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(status, body, Content_Range=content_range, ETag=tag)

    return answer


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(rest(f"bytes 0-{LAST}/{TOTAL}", CONTENT), id="from the start"),
        pytest.param(rest(f"bytes 5001-{LAST}/{TOTAL}", CONTENT[5_001:]), id="a byte later"),
        pytest.param(rest(f"bytes 5000-6000/{TOTAL}", CONTENT[5_000:6_001]), id="not up to the end"),
        pytest.param(rest(f"bytes 5000-{LAST}/{TOTAL}", CONTENT[5_000:6_000]), id="fewer bytes than named"),
        pytest.param(rest(f"bytes 5000-{TOTAL}/{TOTAL + 1}", CONTENT[4_999:]), id="of a longer file"),
        pytest.param(rest(f"bytes 5000-{LAST}/*", CONTENT[4_999:]), id="of a file of unknown length"),
        pytest.param(
            rest(f"bytes 5000-{LAST}/{TOTAL}", CONTENT[5_000:], tag='"other"'), id="of another file"
        ),
        pytest.param(rest("bytes=5000-", CONTENT[5_000:]), id="malformed range"),
        pytest.param(rest(f"bytes */{TOTAL}", b"", status=416), id="range refused"),
    ],
)
async def test_a_wrong_rest_is_discarded_and_the_file_downloaded_again(
    fetch: Fetch, files: FileServer, tmp_path: Path, wrong: Answer, part: Path
) -> None:
    quota = TaskQuota(2 * TOTAL)
    url = files.serves("/x", then(Breaking(part), then(wrong, Breaking(part, breaks=0))))
    assert await fetch(url, quota=quota) == SHA256
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert [first_byte(each) for each in files.exchanges] == [0, 5_000, 0]
    assert quota.fits(TOTAL)
    assert not quota.fits(TOTAL + 1)


async def test_an_outage_in_between_keeps_the_received_bytes(
    fetch: Fetch, files: FileServer, part: Path
) -> None:
    async def busy(exchange: Exchange) -> None:
        await exchange.reply(503)

    url = files.serves("/x", then(Breaking(part), then(busy, Breaking(part, breaks=0))))
    assert await fetch(url) == SHA256
    assert [first_byte(each) for each in files.exchanges] == [0, 5_000, 5_000]


async def test_an_unstable_server_is_retried_while_the_file_grows(
    fetch: Fetch, files: FileServer, monkeypatch: pytest.MonkeyPatch, part: Path
) -> None:
    monkeypatch.setattr(downloader, "_PROGRESS_BYTES", 2_000)
    assert await fetch(files.serves("/x", Breaking(part, breaks=15, bytes_each=1_000))) == SHA256
    assert len(files.exchanges) == 16


async def test_an_unstable_server_without_progress_fails_the_download(
    fetch: Fetch, files: FileServer, tmp_path: Path, part: Path
) -> None:
    quota = TaskQuota(TOTAL)
    url = files.serves("/x", Breaking(part, breaks=99, bytes_each=1_000))
    with pytest.raises(DownloadFailed, match="before the file was complete"):
        await fetch(url, quota=quota)
    assert len(files.exchanges) == 3
    assert quota.fits(TOTAL)
    assert list(tmp_path.iterdir()) == []


async def test_the_whole_file_counts_against_the_limit_of_one_file(
    fetch: Fetch, files: FileServer, part: Path
) -> None:
    async def unannounced(exchange: Exchange) -> None:
        head = f"HTTP/1.1 200 OK\r\nETag: {TAG}\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n"
        await exchange.send(head.encode() + CONTENT[:5_000])
        await on_disk(part, 5_000)
        exchange.writer.close()

    url = files.serves("/x", then(unannounced, rest(f"bytes 5000-{LAST}/{TOTAL}", CONTENT[5_000:])))
    with pytest.raises(DownloadFailed, match="larger than 16000 bytes"):
        await fetch(url, limits={"max_file_bytes": 16_000})
    assert [first_byte(each) for each in files.exchanges] == [0, 5_000]


def test_bytes_of_an_earlier_process_are_overwritten(tmp_path: Path) -> None:
    """Their version is not known any more."""
    path = tmp_path / "file.part"
    path.write_bytes(b"left by a process that was killed")
    partial = PartialFile(path, TaskQuota(10))
    assert not partial.can_continue
    with partial.open() as file:
        partial.append(b"new", file)
    assert path.read_bytes() == b"new"


def test_bytes_that_were_not_counted_are_cut_off(tmp_path: Path) -> None:
    partial = PartialFile(tmp_path / "file.part", TaskQuota(10))
    with partial.open() as file:
        partial.append(b"12", file)
    partial.size = 2
    with (tmp_path / "file.part").open("ab") as file:
        file.write(b"345")
    with partial.open() as file:
        partial.append(b"6", file)
    assert (tmp_path / "file.part").read_bytes() == b"126"
    assert partial.digest == "0x" + hashlib.sha256(b"126").hexdigest()
