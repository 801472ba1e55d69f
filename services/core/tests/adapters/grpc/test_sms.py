"""Enclave challenges: the SMS of a framework, its refusals and its outages."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from workerpool_core.adapters.grpc.sms import SmsClient
from workerpool_core.domain.decisions import AskEnclaveChallenge
from workerpool_core.domain.events import EnclaveChallengeAnswered
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import sms_challenge_hash
from workerpool_poco.protocol.ids import TaskId, from_hex
from workerpool_protocol.registry.v1 import platform_service_pb2 as registry_pb
from workerpool_protocol.registry.v1.platform_service_pb2_grpc import (
    PlatformServiceServicer,
    add_PlatformServiceServicer_to_server,
)
from workerpool_protocol.sms.v1 import tee_service_pb2 as sms_pb
from workerpool_protocol.sms.v1.tee_service_pb2_grpc import (
    TeeServiceServicer,
    add_TeeServiceServicer_to_server,
)

TASK = TaskId("0x" + "ab" * 32)
SCONE_TAG, TDX_TAG, PLAIN_TAG = ("0x" + f"{tag:064x}" for tag in (3, 9, 0))
CHALLENGE = "0x" + "33" * 20
SCONE, TDX = registry_pb.TEE_FRAMEWORK_SCONE, registry_pb.TEE_FRAMEWORK_TDX


class Platform(PlatformServiceServicer, TeeServiceServicer):
    """Platform registry and SMS in one, whose answers the test sets."""

    def __init__(self) -> None:
        self.url = ""
        self.named, self.served = SCONE, SCONE
        self.error: grpc.StatusCode | None = None
        self.signature = b""
        self.asked = 0

    async def GetStack(self, request: Any, context: Any) -> Any:
        self.asked += 1
        location = registry_pb.SmsLocation(framework=self.named, url=self.url)
        return registry_pb.GetStackResponse(stack=registry_pb.Stack(sms_locations=[location]))

    async def GetFramework(self, request: Any, context: Any) -> Any:
        return sms_pb.GetFrameworkResponse(framework=self.served)

    async def CreateChallenge(self, request: Any, context: Any) -> Any:
        if self.error is not None:
            await context.abort(self.error, "no")
        self.signature = from_hex(request.signature)
        return sms_pb.CreateChallengeResponse(enclave_challenge=CHALLENGE)


class Harness:
    """The client, its platform, and the answers it received."""

    def __init__(self, platform: Platform, wallet: Wallet) -> None:
        self.platform, self.wallet = platform, wallet
        self.answers: asyncio.Queue[EnclaveChallengeAnswered] = asyncio.Queue()
        self.challenges = SmsClient(platform.url, "", "", wallet, self.answers.put_nowait)

    async def ask(self, tag: str) -> EnclaveChallengeAnswered:
        self.challenges.request(AskEnclaveChallenge(TASK, tag))
        return await asyncio.wait_for(self.answers.get(), 20)


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    server, platform = grpc.aio.server(), Platform()  # type: ignore[abstract]
    add_PlatformServiceServicer_to_server(platform, server)
    add_TeeServiceServicer_to_server(platform, server)
    # URLs name the HTTP port; gRPC listens 10000 above it.
    port = server.add_insecure_port("127.0.0.1:0")
    platform.url = f"http://127.0.0.1:{port - GRPC_PORT_OFFSET}"
    await server.start()
    harness = Harness(platform, Wallet.create())
    yield harness
    await harness.challenges.close()
    await server.stop(0)


async def test_s07_the_sms_of_the_framework_makes_the_challenge_for_the_pools_owner(harness: Harness) -> None:
    answer = await harness.ask(SCONE_TAG)
    assert answer == EnclaveChallengeAnswered(TASK, CHALLENGE, harness.platform.url)
    assert harness.platform.signature == harness.wallet.sign_message_hash(sms_challenge_hash(TASK))


@pytest.mark.parametrize(
    ("tag", "named", "served"), [(TDX_TAG, SCONE, SCONE), (SCONE_TAG, SCONE, TDX), (PLAIN_TAG, SCONE, SCONE)]
)
async def test_s07_no_sms_for_the_framework_is_a_refusal(
    harness: Harness, tag: str, named: Any, served: Any
) -> None:
    harness.platform.named, harness.platform.served = named, served
    assert await harness.ask(tag) == EnclaveChallengeAnswered(TASK, "")


async def test_s07_an_sms_that_refuses_is_a_refusal(harness: Harness) -> None:
    harness.platform.error = grpc.StatusCode.PERMISSION_DENIED
    assert await harness.ask(SCONE_TAG) == EnclaveChallengeAnswered(TASK, "")


async def test_an_unreachable_sms_yields_no_answer(harness: Harness) -> None:
    harness.platform.error = grpc.StatusCode.UNAVAILABLE
    harness.challenges.request(AskEnclaveChallenge(TASK, SCONE_TAG))
    async with asyncio.timeout(20):
        while harness.challenges.in_flight:
            await asyncio.sleep(0.01)
    assert harness.answers.empty()
    harness.platform.error = None
    assert (await harness.ask(SCONE_TAG)).challenge == CHALLENGE
