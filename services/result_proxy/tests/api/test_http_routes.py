"""Downloads by HTTP, over memory."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_poco.protocol.ids import TaskId
from workerpool_result_proxy.api.http_routes import routes
from workerpool_result_proxy.app.read_result import ReadResult
from workerpool_result_proxy.domain.results import StoredResult, link_for

from services.result_proxy.tests.doubles.store import MemoryArchives, MemoryStore

TASK = TaskId("0x" + "01" * 32)
CONTENT = bytes(range(100))
SHA256 = bytes([7] * 32)


@pytest.fixture
async def base() -> AsyncIterator[str]:
    """Serve one stored result; return the server's URL."""
    store, archives = MemoryStore(), MemoryArchives()
    file_id = archives.new_id()
    archives.files[file_id] = CONTENT
    store.results[TASK] = StoredResult(
        TASK, len(CONTENT), SHA256, bytes(32), link_for(TASK), "0x", datetime.now(UTC), file_id
    )
    server = HttpServer(
        0, health=Health(), version="1", routes=routes(ReadResult(store, archives)), host="127.0.0.1"
    )
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
