"""Result proxies: requesters name them, so neither their number nor their answers may harm the worker."""

import grpc
import pytest
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_protocol.result_proxy.v1 import result_service_pb2, result_service_pb2_grpc
from workerpool_worker.adapters.grpc_result_store import MAX_CONNECTIONS, MAX_LINK_CHARACTERS, GrpcResultStore
from workerpool_worker.errors import UploadRefused, UploadUnavailable

from services.worker.tests.doubles.service_peers import ResultPeer

AUTHORIZATION = WorkerpoolAuthorization(
    ZERO_ADDRESS, TaskId("0x" + "00" * 32), ZERO_ADDRESS, DealId("0x" + "00" * 32), 0, b""
)


class OddProxy(ResultPeer):
    """A proxy that takes everything and answers as it likes."""

    link = ""

    async def Upload(self, request_iterator, context):
        async for _ in request_iterator:
            pass
        return result_service_pb2.UploadResponse(result_link=self.link)


@pytest.fixture
async def odd_proxy():
    server, proxy = grpc.aio.server(options=[("grpc.so_reuseport", 0)]), OddProxy()
    result_service_pb2_grpc.add_ResultServiceServicer_to_server(proxy, server)
    proxy.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0') - GRPC_PORT_OFFSET}"
    await server.start()
    yield proxy
    await server.stop(None)


@pytest.mark.parametrize("length", [0, MAX_LINK_CHARACTERS, MAX_LINK_CHARACTERS + 1])
async def test_a_link_that_the_scheduler_would_not_read_is_the_proxy_s_failure(odd_proxy, tmp_path, length):
    odd_proxy.link = "l" * length
    archive = tmp_path / "archive"
    archive.write_bytes(b"zip")
    store = GrpcResultStore(lambda digest: bytes(65))
    if length == MAX_LINK_CHARACTERS:
        assert await store.upload(odd_proxy.url, AUTHORIZATION, archive, "0x") == odd_proxy.link
    else:
        with pytest.raises(UploadRefused, match=f"link of {length} characters"):
            await store.upload(odd_proxy.url, AUTHORIZATION, archive, "0x")
    await store.close()


async def test_connections_to_proxies_do_not_pile_up(tmp_path):
    store = GrpcResultStore(lambda digest: bytes(65))
    for host in range(1, 2 * MAX_CONNECTIONS):
        with pytest.raises(UploadUnavailable):
            await store.upload(f"http://127.0.0.{host}:9", AUTHORIZATION, tmp_path / "archive", "0x")
    assert len(store._connections) == MAX_CONNECTIONS
    await store.close()
