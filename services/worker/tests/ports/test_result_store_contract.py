"""The contract of the `ResultStore` port, over every implementation."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization, audience_of
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES
from workerpool_protocol.result_proxy.v1 import result_service_pb2_grpc
from workerpool_worker.adapters.results.grpc_result_store import GrpcResultStore
from workerpool_worker.app.ports import ResultStore
from workerpool_worker.errors import UploadRefused, UploadUnavailable

from services.worker.tests.doubles.result_store import FakeResultStore
from services.worker.tests.doubles.service_peers import ResultPeer
from services.worker.tests.harness.builders import OTHER_TASK_ID, TASK_ID

AUTHORIZATION = WorkerpoolAuthorization(ZERO_ADDRESS, TASK_ID, ZERO_ADDRESS, DealId("0x" + "03" * 32), 0, b"")
DIGEST, OTHER_DIGEST = "0x" + "04" * 32, "0x" + "05" * 32
UNREACHABLE = "http://127.0.0.1:9"


@pytest.fixture(params=["grpc", "http", "memory"])
async def proxy(request: pytest.FixtureRequest) -> AsyncIterator[tuple[ResultStore, str]]:
    """A store and the URL of a proxy that it reaches."""
    if request.param == "memory":
        yield FakeResultStore({"http://proxy.test:1"}), "http://proxy.test:1"
        return
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    peer = ResultPeer()
    result_service_pb2_grpc.add_ResultServiceServicer_to_server(peer, server)
    port = server.add_insecure_port("127.0.0.1:0") - GRPC_PORT_OFFSET
    url = f"http://127.0.0.1:{port}"
    peer.audience = audience_of(url)
    await server.start()
    store = GrpcResultStore(lambda digest: bytes(65), http_min_bytes=0)
    async with AsyncExitStack() as ports:
        if request.param == "http":
            await ports.enter_async_context(peer.http_port(port))
        yield store, url
        await store.close()
    await server.stop(None)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "iexec_out.zip"
    path.write_bytes(b"zip")
    return path


async def test_an_upload_returns_a_link(proxy: tuple[ResultStore, str], archive: Path) -> None:
    store, url = proxy
    assert TASK_ID in await store.upload(url, AUTHORIZATION, archive, DIGEST)


async def test_a_repeated_upload_returns_the_same_link(proxy: tuple[ResultStore, str], archive: Path) -> None:
    store, url = proxy
    first = await store.upload(url, AUTHORIZATION, archive, DIGEST)
    assert await store.upload(url, AUTHORIZATION, archive, DIGEST) == first


async def test_results_of_other_tasks_have_other_links(proxy: tuple[ResultStore, str], archive: Path) -> None:
    store, url = proxy
    first = await store.upload(url, AUTHORIZATION, archive, DIGEST)
    other = replace(AUTHORIZATION, task_id=OTHER_TASK_ID)
    assert await store.upload(url, other, archive, DIGEST) != first


async def test_another_result_of_a_stored_task_is_refused(
    proxy: tuple[ResultStore, str], archive: Path
) -> None:
    store, url = proxy
    await store.upload(url, AUTHORIZATION, archive, DIGEST)
    with pytest.raises(UploadRefused, match="another result of this task"):
        await store.upload(url, AUTHORIZATION, archive, OTHER_DIGEST)


async def test_an_unreachable_proxy_is_unavailable(proxy: tuple[ResultStore, str], archive: Path) -> None:
    store, _ = proxy
    with pytest.raises(UploadUnavailable):
        await store.upload(UNREACHABLE, AUTHORIZATION, archive, DIGEST)


async def test_the_limits_of_a_proxy_are_reported(proxy: tuple[ResultStore, str]) -> None:
    store, url = proxy
    assert await store.archive_rules(url) == DEFAULT_RULES


@pytest.mark.parametrize("url", [UNREACHABLE, "not a url", "http://host"])
async def test_a_proxy_that_is_away_has_the_default_limits(proxy: tuple[ResultStore, str], url: str) -> None:
    store, _ = proxy
    assert await store.archive_rules(url) == DEFAULT_RULES
