"""Downloads by HTTP, over memory."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import ClassVar

import aiohttp
import pytest
from structlog.testing import capture_logs
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_poco.protocol.ids import TaskId
from workerpool_result_proxy.api.http_routes import routes
from workerpool_result_proxy.app.gateway import Gateway
from workerpool_result_proxy.app.ports import BytesMissing, ContentFile
from workerpool_result_proxy.app.read_result import ReadResult
from workerpool_result_proxy.domain.results import GRIDFS, StoredResult, link_for
from workerpool_result_proxy.errors import ContentNotFound, StorageUnavailable

from services.result_proxy.tests.doubles.store import MemoryArchives, MemoryStore

TASK = TaskId("0x" + "01" * 32)
CONTENT = bytes(range(100))
SHA256 = bytes([7] * 32)
CID = "bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


LOST, CUT = TaskId("0x" + "0a" * 32), TaskId("0x" + "0b" * 32)
"""Results whose bytes are missing from the start, and after some of them."""

AWAY = CID.replace("aa", "bb")


class MemoryContent:
    """The `IpfsContent` port with two files, and one whose node goes away before its first byte."""

    files: ClassVar = {AWAY: b"away", CID: b"PK\x03\x04" + CONTENT, f"{CID}/page.html": b"<script>"}

    async def find(self, path: str) -> ContentFile:
        if path not in self.files:
            raise ContentNotFound("the IPFS node does not have it")
        return ContentFile(path, len(self.files[path]))

    async def read(self, cid: str, *, first: int, length: int) -> AsyncIterator[bytes]:
        if cid == AWAY:
            raise StorageUnavailable("the IPFS node does not answer")
        yield self.files[cid][first : first + length]


class LosingArchives(MemoryArchives):
    """Archives that learn too late that bytes are missing, as IPFS does."""

    async def read(self, file_id: str, *, first: int, length: int) -> AsyncIterator[bytes]:
        content = self.files[file_id][first : first + length]
        if content:
            yield content
        if len(content) < length:
            raise BytesMissing("a block is gone")


@pytest.fixture
async def base() -> AsyncIterator[str]:
    """Serve a stored result, and two whose bytes are lost; return the server's URL."""
    store, archives = MemoryStore(), LosingArchives()
    for task, there in ((TASK, CONTENT), (LOST, b""), (CUT, CONTENT[:60])):
        file_id = archives.new_id()
        archives.files[file_id] = there
        store.results[task] = StoredResult(
            task, len(CONTENT), SHA256, bytes(32), link_for(task), "0x", datetime.now(UTC), file_id
        )
    served = routes(ReadResult(store, {GRIDFS: archives}), Gateway(MemoryContent()))
    server = HttpServer(0, health=Health(), version="1", routes=served, host="127.0.0.1")
    await server.start()
    yield f"http://127.0.0.1:{server.port}"
    await server.stop()


async def fetch(
    base: str, path: str = f"/results/{TASK}", method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with aiohttp.ClientSession(base) as http, http.request(method, path, headers=named) as answer:
        lower = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, lower, await answer.read()


async def test_the_archive_is_downloaded_with_its_name_and_tag(base: str) -> None:
    status, headers, content = await fetch(base)
    assert (status, content) == (200, CONTENT)
    assert headers["content-type"] == "application/zip"
    assert headers["content-disposition"] == f'attachment; filename="{TASK}.zip"'
    assert headers["etag"] == f'"{SHA256.hex()}"'
    assert "immutable" in headers["cache-control"]


async def test_a_range_is_downloaded_in_part(base: str) -> None:
    status, headers, content = await fetch(base, range="bytes=10-19")
    assert (status, content) == (206, CONTENT[10:20])
    assert headers["content-range"] == "bytes 10-19/100"


async def test_a_range_after_the_end_is_refused(base: str) -> None:
    status, headers, _ = await fetch(base, range="bytes=100-")
    assert (status, headers["content-range"]) == (416, "bytes */100")


async def test_a_range_of_another_version_is_ignored(base: str) -> None:
    assert (await fetch(base, range="bytes=10-19", if_range='"other"'))[0] == 200
    assert (await fetch(base, range="bytes=10-19", if_range=f'"{SHA256.hex()}"'))[0] == 206


async def test_a_known_version_is_not_sent_again(base: str) -> None:
    status, _, content = await fetch(base, if_none_match=f'"{SHA256.hex()}"')
    assert (status, content) == (304, b"")


async def test_head_returns_the_size_without_content(base: str) -> None:
    status, headers, content = await fetch(base, method="HEAD")
    assert (status, headers["content-length"], content) == (200, "100", b"")


@pytest.mark.parametrize("name", ["0x" + "02" * 32, "nonsense", "0x12"])
async def test_an_unknown_task_is_not_found(base: str, name: str) -> None:
    status, _, content = await fetch(base, f"/results/{name}")
    assert status == 404
    assert b"RESULT_NOT_FOUND" in content


class TestLostBytes:
    async def test_they_are_named_before_the_first_byte_where_they_are_known(self, base: str) -> None:
        status, headers, content = await fetch(base, f"/results/{LOST}")
        assert (status, headers["content-type"]) == (500, "application/json")
        told = json.loads(content)
        assert told["code"] == "RESULT_BYTES_MISSING"
        assert "operator" in told["error"]

    async def test_otherwise_the_answer_ends_early_and_its_rest_names_them(
        self, base: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with capture_logs() as events, pytest.raises(aiohttp.ClientPayloadError):
            await fetch(base, f"/results/{CUT}")
        assert [each["reason"] for each in events if each["event"] == "result.download_broken"] == [
            "RESULT_BYTES_MISSING"
        ]
        assert not any(record.exc_info for record in caplog.records), "no traceback"
        assert (await fetch(base, f"/results/{CUT}", range="bytes=0-59"))[2] == CONTENT[:60]
        status, _, content = await fetch(base, f"/results/{CUT}", range="bytes=60-")
        assert (status, json.loads(content)["code"]) == (500, "RESULT_BYTES_MISSING")


class TestGateway:
    async def test_a_file_is_served_whole_and_in_part(self, base: str) -> None:
        status, headers, content = await fetch(base, f"/ipfs/{CID}")
        assert (status, content) == (200, b"PK\x03\x04" + CONTENT)
        assert headers["content-type"] == "application/zip"
        assert headers["etag"] == f'"{CID}"'
        status, headers, content = await fetch(base, f"/ipfs/{CID}", range="bytes=4-9")
        assert (status, content, headers["content-range"]) == (206, CONTENT[:6], "bytes 4-9/104")
        status, headers, content = await fetch(base, f"/ipfs/{CID}", "HEAD")
        assert (status, headers["content-length"], content) == (200, "104", b"")

    async def test_a_browser_runs_nothing_of_what_it_loads(self, base: str) -> None:
        _, headers, _ = await fetch(base, f"/ipfs/{CID}/page.html")
        assert headers["content-type"] == "application/octet-stream"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "sandbox"

    async def test_missing_content_is_not_found(self, base: str) -> None:
        status, _, content = await fetch(base, "/ipfs/unknown")
        assert (status, b"IPFS_CONTENT_NOT_FOUND" in content) == (404, True)

    async def test_a_node_that_is_away_is_said_before_the_first_byte(self, base: str) -> None:
        status, _, content = await fetch(base, f"/ipfs/{AWAY}")
        assert (status, b"STORAGE_UNAVAILABLE" in content) == (503, True)
