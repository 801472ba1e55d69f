"""Enclave challenges: the SMS of a framework, its refusals and its outages."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from patience import PATIENCE_S
from workerpool_core.adapters.grpc.sms import SmsClient
from workerpool_core.domain.decisions import FindSms, RequestEnclaveChallenge
from workerpool_core.domain.events import EnclaveChallengeAnswered, SmsFound, SmsRefused, SmsUnreachable
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import sms_challenge_hash
from workerpool_poco.protocol.ids import TaskId, from_hex
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C
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
        self.registry_error: grpc.StatusCode | None = None
        self.signature = b""
        self.asked = 0

    async def GetStack(self, request: Any, context: Any) -> Any:
        self.asked += 1
        if self.registry_error is not None:
            await context.abort(self.registry_error, "no")
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
        self.answers: asyncio.Queue[Any] = asyncio.Queue()
        self.challenges = SmsClient(platform.url, "", "", wallet, self.answers.put_nowait)

    async def ask(self, wanted: FindSms | RequestEnclaveChallenge) -> Any:
        self.challenges.request(wanted)
        return await asyncio.wait_for(self.answers.get(), PATIENCE_S)

    async def find(self, tag: str) -> Any:
        return await self.ask(FindSms(TASK, tag))

    async def challenge(self, tag: str) -> Any:
        return await self.ask(RequestEnclaveChallenge(TASK, tag))


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
    answer = await harness.challenge(SCONE_TAG)
    assert answer == EnclaveChallengeAnswered(TASK, CHALLENGE, harness.platform.url)
    assert harness.platform.signature == harness.wallet.sign_message_hash(sms_challenge_hash(TASK))


async def test_s07_the_sms_is_found_without_a_challenge(harness: Harness) -> None:
    harness.platform.error = grpc.StatusCode.PERMISSION_DENIED
    assert await harness.find(SCONE_TAG) == SmsFound(TASK, harness.platform.url)


@pytest.mark.parametrize(
    ("tag", "named", "served", "words"),
    [
        (TDX_TAG, SCONE, SCONE, "no SMS serves TDX in the default stack of the platform registry"),
        (SCONE_TAG, SCONE, TDX, "serves another framework"),
        (PLAIN_TAG, SCONE, SCONE, "names no TEE framework"),
    ],
)
@pytest.mark.parametrize("kind", [FindSms, RequestEnclaveChallenge])
async def test_s07_no_sms_for_the_framework_is_a_refusal_in_words(
    harness: Harness, tag: str, named: Any, served: Any, words: str, kind: Any
) -> None:
    harness.platform.named, harness.platform.served = named, served
    answer = await harness.ask(kind(TASK, tag))
    assert isinstance(answer, SmsRefused)
    assert (answer.task_id, answer.cause) == (TASK, C.UNKNOWN_SMS)
    assert words in answer.message


async def test_an_unknown_stack_is_a_refusal(harness: Harness) -> None:
    harness.platform.registry_error = grpc.StatusCode.NOT_FOUND
    answer = await harness.find(TDX_TAG)
    assert isinstance(answer, SmsRefused)
    assert answer.message.endswith("in the default stack of the platform registry: NOT_FOUND")


async def test_a_malformed_address_of_an_sms_is_a_refusal(harness: Harness) -> None:
    harness.platform.url = "nowhere"
    answer = await harness.find(SCONE_TAG)
    assert isinstance(answer, SmsRefused)
    assert "nowhere" in answer.message


async def test_s07_an_sms_that_refuses_the_challenge_is_a_refusal(harness: Harness) -> None:
    harness.platform.error = grpc.StatusCode.PERMISSION_DENIED
    answer = await harness.challenge(SCONE_TAG)
    assert isinstance(answer, SmsRefused)
    assert answer.cause is C.TEE_PREPARATION_FAILED
    assert "PERMISSION_DENIED" in answer.message


@pytest.mark.parametrize(
    "code",
    [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND],
)
async def test_an_sms_that_cannot_answer_now_is_asked_again(harness: Harness, code: Any) -> None:
    """Its node may lag behind the one of core, and not know the task yet."""
    harness.platform.error = code
    answer = await harness.challenge(SCONE_TAG)
    assert isinstance(answer, SmsUnreachable)
    assert code.name in answer.message
    harness.platform.error = None
    assert (await harness.challenge(SCONE_TAG)).challenge == CHALLENGE
    assert not harness.challenges.in_flight


async def test_a_registry_that_is_down_is_unreachable(harness: Harness) -> None:
    harness.platform.registry_error = grpc.StatusCode.UNAVAILABLE
    answer = await harness.find(SCONE_TAG)
    assert isinstance(answer, SmsUnreachable)
    assert answer.message.startswith("the platform registry does not answer")
