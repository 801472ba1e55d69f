"""Result proxies beyond the contract: requesters choose them, so their number and answers are bounded."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import (
    WorkerpoolAuthorization,
    audience_of,
    bound_authorization_hash,
)
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId, bytes32
from workerpool_poco.protocol.signatures import eip191_hash, recover_address
from workerpool_protocol.result_proxy.v1 import result_service_pb2, result_service_pb2_grpc
from workerpool_worker.adapters.files import archive as archive_module
from workerpool_worker.adapters.results.grpc_result_store import (
    MAX_CONNECTIONS,
    MAX_LINK_CHARACTERS,
    GrpcResultStore,
)
from workerpool_worker.errors import UploadRefused, UploadUnavailable

from services.worker.tests.doubles.service_peers import NONCE, ResultPeer
from services.worker.tests.harness.waiting import Eventually

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
    proxy.audience = audience_of(proxy.url)
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


async def test_a_prepared_archive_is_not_hashed_again(
    proxy: AnyLinkProxy, store: GrpcResultStore, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.link = "link"
    await store.prepare(proxy.url, AUTHORIZATION, archive, is_only_worker=False)
    monkeypatch.setattr(archive_module, "file_sha256", lambda _: pytest.fail("it is hashed again"))
    assert await store.upload(proxy.url, AUTHORIZATION, archive, "0x") == proxy.link


@pytest.mark.parametrize("is_only_worker", [True, False])
async def test_the_only_worker_of_a_task_has_its_token_before_the_upload(
    proxy: AnyLinkProxy,
    store: GrpcResultStore,
    archive: Path,
    eventually: Eventually,
    is_only_worker: bool,
) -> None:
    proxy.link = "link"
    await store.prepare(proxy.url, AUTHORIZATION, archive, is_only_worker=is_only_worker)
    if is_only_worker:
        await eventually(lambda: len(proxy.tokens) == 1)
    assert await store.upload(proxy.url, AUTHORIZATION, archive, "0x") == proxy.link
    assert len(proxy.tokens) == 1


async def test_an_early_token_serves_one_upload(
    proxy: AnyLinkProxy, store: GrpcResultStore, archive: Path
) -> None:
    """The proxy may have lost its key meanwhile, so that another attempt gets a new token."""
    proxy.link = "link"
    proxy.failures = [(grpc.StatusCode.UNAUTHENTICATED, "the token is unknown")]
    await store.prepare(proxy.url, AUTHORIZATION, archive, is_only_worker=True)
    with pytest.raises(UploadUnavailable):
        await store.upload(proxy.url, AUTHORIZATION, archive, "0x")
    assert await store.upload(proxy.url, AUTHORIZATION, archive, "0x") == proxy.link
    assert len(proxy.tokens) == 2


async def test_an_expired_early_token_is_not_used(
    proxy: AnyLinkProxy, store: GrpcResultStore, archive: Path
) -> None:
    proxy.link, proxy.token_s = "link", 1
    await store.prepare(proxy.url, AUTHORIZATION, archive, is_only_worker=True)
    assert await store.upload(proxy.url, AUTHORIZATION, archive, "0x") == proxy.link
    assert len(proxy.tokens) == 2


async def test_a_proxy_that_issues_no_early_token_is_asked_at_the_upload(
    proxy: AnyLinkProxy, store: GrpcResultStore, archive: Path
) -> None:
    proxy.link, audience, proxy.audience = "link", proxy.audience, "http://other"
    await store.prepare(proxy.url, AUTHORIZATION, archive, is_only_worker=True)
    with pytest.raises(UploadUnavailable, match="calls itself"):
        await store.upload(proxy.url, AUTHORIZATION, archive, "0x")
    proxy.audience = audience
    assert await store.upload(proxy.url, AUTHORIZATION, archive, "0x") == proxy.link


async def test_an_archive_that_cannot_be_prepared_fails_at_its_upload(
    proxy: AnyLinkProxy, store: GrpcResultStore, tmp_path: Path
) -> None:
    await store.prepare(proxy.url, AUTHORIZATION, tmp_path / "absent", is_only_worker=True)
    with pytest.raises(UploadRefused, match="No such file"):
        await store.upload(proxy.url, AUTHORIZATION, tmp_path / "absent", "0x")


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


class PartialProxy(AnyLinkProxy):
    """A proxy that keeps the first `kept` bytes of an upload that it breaks."""

    def __init__(self, kept: int = 2) -> None:
        super().__init__()
        self.kept = kept
        self.offsets: list[int] = []
        self.chunks: list[bytes] = []
        self.asked = 0

    async def GetUpload(self, request: Any, context: Any) -> result_service_pb2.GetUploadResponse:
        self.asked += 1
        return result_service_pb2.GetUploadResponse(offset=self.kept)

    async def Upload(self, request_iterator: Any, context: Any) -> result_service_pb2.UploadResponse:
        messages = [message async for message in request_iterator]
        self.offsets.append(messages[0].header.offset)
        self.chunks += [message.chunk for message in messages[1:]]
        if self.failures:
            code, text = self.failures.pop(0)
            await context.abort(code, text)
        return result_service_pb2.UploadResponse(result_link="link")


@pytest.mark.parametrize(
    ("kept", "chunks"), [(2, [b"zip", b"p", b"zip"]), (3, [b"zip", b"zip"])], ids=["a part", "all"]
)
async def test_a_broken_upload_is_continued_and_the_next_one_is_not(
    store: GrpcResultStore, archive: Path, kept: int, chunks: list[bytes]
) -> None:
    server, proxy = grpc.aio.server(options=[("grpc.so_reuseport", 0)]), PartialProxy(kept)
    result_service_pb2_grpc.add_ResultServiceServicer_to_server(proxy, server)
    url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0') - GRPC_PORT_OFFSET}"
    proxy.audience = audience_of(url)
    await server.start()
    proxy.failures = [(grpc.StatusCode.UNAVAILABLE, "broken")]
    with pytest.raises(UploadUnavailable):
        await store.upload(url, AUTHORIZATION, archive, "0x")
    assert proxy.asked == 0
    for _ in range(2):
        assert await store.upload(url, AUTHORIZATION, archive, "0x") == "link"
    await server.stop(None)
    assert proxy.asked == 1
    assert proxy.offsets == [0, kept, 0]
    assert proxy.chunks == chunks


@pytest.mark.parametrize("url", ["not a url", "http://host"])
async def test_an_invalid_proxy_url_is_refused(store: GrpcResultStore, archive: Path, url: str) -> None:
    with pytest.raises(UploadRefused):
        await store.upload(url, AUTHORIZATION, archive, "0x")


async def test_open_connections_are_bounded(store: GrpcResultStore, archive: Path) -> None:
    for host in range(1, 2 * MAX_CONNECTIONS):
        with pytest.raises(UploadUnavailable):
            await store.upload(f"http://127.0.0.{host}:9", AUTHORIZATION, archive, "0x")
    assert len(store._connections) == MAX_CONNECTIONS


async def test_the_signature_is_bound_to_the_proxy_and_its_nonce(proxy: AnyLinkProxy, archive: Path) -> None:
    wallet = Wallet.create()
    authorization = replace(AUTHORIZATION, worker=wallet.address)
    store = GrpcResultStore(wallet.sign_message_hash)
    proxy.link = "link"
    await store.upload(proxy.url, authorization, archive, "0x")
    await store.close()
    (request,) = proxy.tokens
    assert (request.audience, request.nonce) == (audience_of(proxy.url), NONCE)
    signed = eip191_hash(bound_authorization_hash(authorization, request.audience, bytes32(NONCE)))
    assert recover_address(signed, bytes.fromhex(request.worker_signature[2:])) == wallet.address
    elsewhere = eip191_hash(bound_authorization_hash(authorization, "https://other.example", bytes32(NONCE)))
    assert recover_address(elsewhere, bytes.fromhex(request.worker_signature[2:])) != wallet.address


@pytest.mark.parametrize(
    "audience", ["", "https://other.example", "http://localhost:1", "http://LOCALHOST:13200/"]
)
async def test_nothing_is_signed_for_a_proxy_with_another_name(
    proxy: AnyLinkProxy, archive: Path, audience: str
) -> None:
    def sign(_: bytes) -> bytes:
        raise AssertionError("the worker signed for another service")

    proxy.audience = audience
    store = GrpcResultStore(sign)
    with pytest.raises(UploadUnavailable, match="nothing is signed"):
        await store.upload(proxy.url, AUTHORIZATION, archive, "0x")
    await store.close()
    assert not proxy.tokens


async def test_a_token_for_another_host_without_tls_is_not_requested(
    store: GrpcResultStore, archive: Path
) -> None:
    with pytest.raises(UploadUnavailable, match="WORKERPOOL_ALLOW_CLEARTEXT"):
        await store.upload("http://result.example:13200", AUTHORIZATION, archive, "0x" + "00" * 32)
