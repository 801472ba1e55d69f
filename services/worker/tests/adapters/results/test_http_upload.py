"""Uploads of archives by HTTP, to a result proxy that offers them."""

import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from aiohttp import web
from certificates import Authority, identity_of
from workerpool_kit.reasons import UPLOAD_OFFSET_MISMATCH
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization, audience_of
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb
from workerpool_protocol.result_proxy.v1 import result_service_pb2_grpc
from workerpool_worker.adapters.results.grpc_result_store import CHUNK_BYTES, GrpcResultStore
from workerpool_worker.adapters.results.http_upload import upload_by_http
from workerpool_worker.errors import UploadRefused, UploadUnavailable

from services.worker.tests.doubles.service_peers import ResultPeer, link_of

TASK = TaskId("0x" + "00" * 32)
AUTHORIZATION = WorkerpoolAuthorization(ZERO_ADDRESS, TASK, ZERO_ADDRESS, DealId("0x" + "00" * 32), 0, b"")
CONTENT = hashlib.shake_256(b"noise").digest(3_000_000)


class Peer(ResultPeer):
    """A proxy on two ports that keeps `kept` bytes of broken uploads."""

    url, port, kept = "", 0, 0

    async def GetUpload(self, request: Any, context: Any) -> pb.GetUploadResponse:
        return pb.GetUploadResponse(offset=self.kept)


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    server, peer = grpc.aio.server(options=[("grpc.so_reuseport", 0)]), Peer()
    result_service_pb2_grpc.add_ResultServiceServicer_to_server(peer, server)
    peer.port = server.add_insecure_port("127.0.0.1:0") - GRPC_PORT_OFFSET
    peer.url = f"http://127.0.0.1:{peer.port}"
    peer.audience = audience_of(peer.url)
    await server.start()
    yield peer
    await server.stop(None)


@pytest.fixture
async def store() -> AsyncIterator[GrpcResultStore]:
    store = GrpcResultStore(lambda digest: bytes(65), http_min_bytes=0)
    yield store
    await store.close()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "archive"
    path.write_bytes(CONTENT)
    return path


async def test_a_proxy_that_offers_it_gets_the_archive_by_http(
    peer: Peer, store: GrpcResultStore, archive: Path
) -> None:
    async with peer.http_port(peer.port):
        assert await store.upload(peer.url, AUTHORIZATION, archive, "0x") == link_of(TASK)
    assert peer.puts == [peer.headers[TASK]]
    assert peer.puts[0].size == len(CONTENT)
    assert peer.archives == {TASK: CONTENT}


async def test_an_archive_that_one_message_holds_goes_by_grpc(peer: Peer, archive: Path) -> None:
    archive.write_bytes(CONTENT[:CHUNK_BYTES])
    store = GrpcResultStore(lambda digest: bytes(65))
    async with peer.http_port(peer.port):
        assert await store.upload(peer.url, AUTHORIZATION, archive, "0x") == link_of(TASK)
    await store.close()
    assert peer.puts == []
    assert peer.archives == {TASK: CONTENT[:CHUNK_BYTES]}


async def test_a_proxy_of_release_0_1_0_gets_it_by_grpc(
    peer: Peer, store: GrpcResultStore, archive: Path
) -> None:
    async with peer.http_port(peer.port):
        peer.takes_http = False
        await store.upload(peer.url, AUTHORIZATION, archive, "0x")
    assert (peer.puts, peer.archives) == ([], {TASK: CONTENT})


async def test_over_tls_the_whole_archive_arrives(peer: Peer, tmp_path: Path, archive: Path) -> None:
    header = pb.UploadHeader(task_id=TASK, size=len(CONTENT), offset=7)
    with identity_of(Authority(tmp_path).issue()) as own:
        async with peer.http_port(peer.port, ssl_context=own.server_context()):
            url = f"https://localhost:{peer.port}"
            assert await upload_by_http(url, "token", header, archive, limit_s=30) == link_of(TASK)
    assert peer.archives == {TASK: CONTENT[7:]}


async def test_a_broken_upload_continues_where_it_broke(
    peer: Peer, store: GrpcResultStore, archive: Path
) -> None:
    async with peer.http_port(peer.port):
        peer.failures = [(grpc.StatusCode.UNAVAILABLE, "it broke")]
        with pytest.raises(UploadUnavailable, match="it broke"):
            await store.upload(peer.url, AUTHORIZATION, archive, "0x")
        peer.kept = 1_000_001
        await store.upload(peer.url, AUTHORIZATION, archive, "0x")
    assert [header.offset for header in peer.puts] == [0, 1_000_001]
    assert peer.archives == {TASK: CONTENT[1_000_001:]}


async def test_a_broken_upload_that_arrived_whole_is_ended_by_grpc(
    peer: Peer, store: GrpcResultStore, archive: Path
) -> None:
    async with peer.http_port(peer.port):
        peer.failures = [(grpc.StatusCode.UNAVAILABLE, "it broke")]
        with pytest.raises(UploadUnavailable, match="it broke"):
            await store.upload(peer.url, AUTHORIZATION, archive, "0x")
        peer.kept = len(CONTENT)
        await store.upload(peer.url, AUTHORIZATION, archive, "0x")
    assert len(peer.puts) == 1
    assert (peer.headers[TASK].offset, peer.archives) == (len(CONTENT), {TASK: b""})


async def test_another_process_of_the_proxy_does_not_know_the_offset(
    peer: Peer, store: GrpcResultStore, archive: Path
) -> None:
    """gRPC reaches the one that told it."""
    async with peer.http_port(peer.port):
        peer.failures, peer.reason = [(grpc.StatusCode.ABORTED, "at byte 0")], UPLOAD_OFFSET_MISMATCH
        await store.upload(peer.url, AUTHORIZATION, archive, "0x")
    assert (len(peer.puts), peer.archives) == (1, {TASK: CONTENT})


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, UploadUnavailable),
        (grpc.StatusCode.ABORTED, UploadUnavailable),
        (grpc.StatusCode.FAILED_PRECONDITION, UploadRefused),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, UploadRefused),
    ],
)
async def test_refusals_mean_what_they_mean_by_grpc(
    peer: Peer, store: GrpcResultStore, archive: Path, code: grpc.StatusCode, error: type[Exception]
) -> None:
    async with peer.http_port(peer.port):
        peer.failures = [(code, "the proxy's reason")]
        with pytest.raises(error, match="the proxy's reason"):
            await store.upload(peer.url, AUTHORIZATION, archive, "0x")


@pytest.mark.parametrize(
    "reason",
    [
        "TOO_MANY_UPLOADS",
        "NO_AUTHORIZATION_FOR_TASK",
        "CONTRIBUTION_NOT_REVEALED",
        "GET_CHAIN_TASK_FAILED",
        "GET_CHAIN_DEAL_FAILED",
        "RESULT_SIZE_MISMATCH",
        "RESULT_CHECKSUM_MISMATCH",
    ],
)
async def test_a_refusal_that_says_send_again_is_retried_from_the_first_byte(
    peer: Peer, store: GrpcResultStore, archive: Path, reason: str
) -> None:
    async with peer.http_port(peer.port):
        peer.failures, peer.reason = [(grpc.StatusCode.INVALID_ARGUMENT, "send them again")], reason
        with pytest.raises(UploadUnavailable, match="send them again"):
            await store.upload(peer.url, AUTHORIZATION, archive, "0x")
        await store.upload(peer.url, AUTHORIZATION, archive, "0x")
    assert peer.archives == {TASK: CONTENT}


async def test_an_http_port_that_is_closed_is_tried_again_much_later(
    peer: Peer, store: GrpcResultStore, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer.takes_http = True
    await store.upload(peer.url, AUTHORIZATION, archive, "0x")
    assert peer.archives == {TASK: CONTENT}
    peer.archives.clear()
    async with peer.http_port(peer.port):
        await store.upload(peer.url, AUTHORIZATION, archive, "0x")
        assert (peer.puts, peer.archives) == ([], {TASK: CONTENT})
        peer.archives.clear()
        later = time.monotonic() + 601
        monkeypatch.setattr(time, "monotonic", lambda: later)
        await store.upload(peer.url, AUTHORIZATION, archive, "0x")
    assert (len(peer.puts), peer.archives) == (1, {TASK: CONTENT})


async def test_what_a_reverse_proxy_refuses_goes_by_grpc(
    peer: Peer, store: GrpcResultStore, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_large(_request: web.Request) -> web.Response:
        return web.Response(status=413, text="<html>413 Request Entity Too Large</html>")

    monkeypatch.setattr(peer, "put", too_large)
    async with peer.http_port(peer.port):
        assert await store.upload(peer.url, AUTHORIZATION, archive, "0x") == link_of(TASK)
    assert peer.archives == {TASK: CONTENT}


async def test_a_connection_that_breaks_twice_gives_way_to_grpc(
    peer: Peer, store: GrpcResultStore, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut(request: web.Request) -> web.Response:
        await request.content.readany()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    monkeypatch.setattr(peer, "put", cut)
    async with peer.http_port(peer.port):
        for _ in range(2):
            with pytest.raises(UploadUnavailable, match="the connection broke"):
                await store.upload(peer.url, AUTHORIZATION, archive, "0x")
        # A third one may have a cause that only the other way tells.
        await store.upload(peer.url, AUTHORIZATION, archive, "0x")
    assert peer.archives == {TASK: CONTENT}
