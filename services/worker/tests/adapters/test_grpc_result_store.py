"""Result proxies beyond the contract: requesters choose them, so their number and answers are bounded."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_protocol.result_proxy.v1 import result_service_pb2, result_service_pb2_grpc
from workerpool_worker.adapters.grpc_result_store import (
    MAX_CONNECTIONS,
    MAX_LINK_CHARACTERS,
    GrpcResultStore,
)
from workerpool_worker.errors import UploadRefused, UploadUnavailable

from services.worker.tests.doubles.service_peers import ResultPeer

AUTHORIZATION = WorkerpoolAuthorization(
    ZERO_ADDRESS, TaskId("0x" + "00" * 32), ZERO_ADDRESS, DealId("0x" + "00" * 32), 0, b""
)


class AnyLinkProxy(ResultPeer):
    """A proxy that accepts every archive and answers with the link of the test."""

    link = ""
    url = ""

    async def Upload(self, request_iterator: Any, context: Any) -> result_service_pb2.UploadResponse:
        # An answer before the last message can be lost: grpc.aio then reports INTERNAL for the write that failed.
        async for _ in request_iterator:
            pass
        if self.failures:
            code, text = self.failures.pop(0)
            await context.abort(code, text)
        return result_service_pb2.UploadResponse(result_link=self.link)


@pytest.fixture
async def proxy() -> AsyncIterator[AnyLinkProxy]:
    server, proxy = grpc.aio.server(options=[("grpc.so_reuseport", 0)]), AnyLinkProxy()
    result_service_pb2_grpc.add_ResultServiceServicer_to_server(proxy, server)
    proxy.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0') - GRPC_PORT_OFFSET}"
    await server.start()
    yield proxy
    await server.stop(None)


@pytest.fixture
async def store() -> AsyncIterator[GrpcResultStore]:
    store = GrpcResultStore(lambda digest: bytes(65))
    yield store
    await store.close()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "archive"
    path.write_bytes(b"zip")
    return path


async def test_the_longest_link_of_the_contract_is_accepted(
    proxy: AnyLinkProxy, store: GrpcResultStore, archive: Path
) -> None:
    proxy.link = "l" * MAX_LINK_CHARACTERS
    assert await store.upload(proxy.url, AUTHORIZATION, archive, "0x") == proxy.link


@pytest.mark.parametrize("length", [0, MAX_LINK_CHARACTERS + 1])
async def test_a_link_outside_the_contract_is_the_proxys_failure(
    proxy: AnyLinkProxy, store: GrpcResultStore, archive: Path, length: int
) -> None:
    proxy.link = "l" * length
    with pytest.raises(UploadRefused, match=f"link of {length} characters"):
        await store.upload(proxy.url, AUTHORIZATION, archive, "0x")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, UploadUnavailable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, UploadUnavailable),
        (grpc.StatusCode.INVALID_ARGUMENT, UploadRefused),
        (grpc.StatusCode.FAILED_PRECONDITION, UploadRefused),
    ],
)
async def test_only_transient_statuses_are_worth_a_retry(
    proxy: AnyLinkProxy, store: GrpcResultStore, archive: Path, code: Any, error: type[Exception]
) -> None:
    proxy.failures = [(code, "the proxy's reason")]
    with pytest.raises(error, match="the proxy's reason"):
        await store.upload(proxy.url, AUTHORIZATION, archive, "0x")


@pytest.mark.parametrize("url", ["not a url", "http://host"])
async def test_an_invalid_proxy_url_is_refused(store: GrpcResultStore, archive: Path, url: str) -> None:
    with pytest.raises(UploadRefused):
        await store.upload(url, AUTHORIZATION, archive, "0x")


async def test_open_connections_are_bounded(store: GrpcResultStore, archive: Path) -> None:
    for host in range(1, 2 * MAX_CONNECTIONS):
        with pytest.raises(UploadUnavailable):
            await store.upload(f"http://127.0.0.{host}:9", AUTHORIZATION, archive, "0x")
    assert len(store._connections) == MAX_CONNECTIONS
