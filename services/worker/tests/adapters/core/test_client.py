"""Unary calls to the scheduler: configuration, login, permanent refusals."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from workerpool_poco.chain.wallet import Wallet
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_worker.adapters.core.client import CoreClient, is_permanent
from workerpool_worker.errors import CoreRefused

from services.worker.tests.doubles.core_peer import TOKEN, CorePeer
from services.worker.tests.harness.builders import WORKER

CHAIN_ID = 134
WALLET = Wallet.create()


@pytest.fixture
async def core() -> AsyncIterator[CorePeer]:
    core = CorePeer(WORKER, CHAIN_ID)
    await core.start()
    yield core
    await core.stop()


@pytest.fixture
async def client(core: CorePeer) -> AsyncIterator[CoreClient]:
    client = CoreClient(core.url)
    yield client
    await client.close()


async def test_the_configuration_is_read(core: CorePeer, client: CoreClient) -> None:
    core.configuration.required_worker_version = "9.9.9"
    configuration = await client.configuration()
    assert (configuration.workerpool, configuration.required_worker_version) == (WORKER, "9.9.9")


async def test_a_configuration_without_workerpool_is_refused(core: CorePeer, client: CoreClient) -> None:
    core.configuration.workerpool = ""
    with pytest.raises(CoreRefused, match="names no workerpool"):
        await client.configuration()


async def test_a_login_returns_the_token(core: CorePeer, client: CoreClient) -> None:
    assert await client.login(WALLET, WORKER, CHAIN_ID) == TOKEN
    assert core.logins == [WALLET.address]


@pytest.mark.parametrize(
    ("workerpool", "chain_id"), [("0x" + "11" * 20, CHAIN_ID), (WORKER, 1)], ids=["workerpool", "chain"]
)
async def test_a_challenge_for_another_pool_or_chain_is_not_signed(
    core: CorePeer, client: CoreClient, workerpool: str, chain_id: int
) -> None:
    with pytest.raises(CoreRefused, match="it was not signed"):
        await client.login(WALLET, workerpool, chain_id)
    assert core.logins == []


async def test_a_malformed_challenge_is_refused(
    core: CorePeer, client: CoreClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def malformed(request: Any, context: Any) -> pb.CreateChallengeResponse:
        return pb.CreateChallengeResponse(typed_data_json="{}")

    monkeypatch.setattr(core, "CreateChallenge", malformed)
    await core.stop()
    await core.start()
    with pytest.raises(CoreRefused, match="malformed"):
        await client.login(WALLET, WORKER, CHAIN_ID)


def test_a_url_without_port_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a URL with a host and a port"):
        CoreClient("http://core")


@pytest.mark.parametrize(
    ("code", "permanent"),
    [
        (grpc.StatusCode.UNAVAILABLE, False),
        (grpc.StatusCode.DEADLINE_EXCEEDED, False),
        (grpc.StatusCode.UNAUTHENTICATED, False),
        (grpc.StatusCode.PERMISSION_DENIED, True),
        (grpc.StatusCode.FAILED_PRECONDITION, True),
        (grpc.StatusCode.UNIMPLEMENTED, True),
    ],
)
def test_only_refusals_are_permanent(code: grpc.StatusCode, permanent: bool) -> None:
    empty = grpc.aio.Metadata()
    assert is_permanent(grpc.aio.AioRpcError(code, empty, empty, "details", None)) is permanent
