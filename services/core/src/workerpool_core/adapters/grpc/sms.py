"""Client of the platform registry and the SMS: finds the SMS of a TEE task, and fetches its enclave challenge."""

from collections.abc import Callable
from typing import Any

import grpc
from workerpool_kit.grpc.client import error_reason
from workerpool_kit.logs import get_logger
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import sms_challenge_hash
from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.ids import TaskId, to_hex
from workerpool_poco.protocol.tags import TeeFramework, tee_framework
from workerpool_protocol.registry.v1 import platform_service_pb2 as registry_pb
from workerpool_protocol.registry.v1.platform_service_pb2_grpc import PlatformServiceStub
from workerpool_protocol.sms.v1 import tee_service_pb2 as sms_pb
from workerpool_protocol.sms.v1.tee_service_pb2_grpc import TeeServiceStub

from workerpool_core.adapters.grpc.channel_pool import ChannelPool
from workerpool_core.adapters.grpc.requests_in_flight import RequestsInFlight
from workerpool_core.domain.decisions import FindSms, RequestEnclaveChallenge
from workerpool_core.domain.events import EnclaveChallengeAnswered, SmsFound, SmsRefused, SmsUnreachable

log = get_logger()

_CALL_TIMEOUT_S = 5.0
"""Seconds for a call with gRPC's retries, so that a requester soon sees that a service does not answer."""
_IDEMPOTENT = ("workerpool.registry.v1.PlatformService", "workerpool.sms.v1.TeeService")
_C = grpc.StatusCode
_REFUSALS = frozenset({_C.PERMISSION_DENIED, _C.UNAUTHENTICATED, _C.INVALID_ARGUMENT, _C.UNIMPLEMENTED})
"""Codes that a retry cannot change. Other failures may pass: the node of the SMS may lag, or its database be down."""
_FRAMEWORKS = {
    TeeFramework.SCONE: registry_pb.TEE_FRAMEWORK_SCONE,
    TeeFramework.GRAMINE: registry_pb.TEE_FRAMEWORK_GRAMINE,
    TeeFramework.TDX: registry_pb.TEE_FRAMEWORK_TDX,
}

Wanted = FindSms | RequestEnclaveChallenge
Answer = SmsFound | EnclaveChallengeAnswered | SmsRefused | SmsUnreachable


class NoSms(Exception):
    """The platform registry names no SMS for the framework, or the SMS there serves another framework."""


class SmsClient:
    """The executor of `FindSms` and `RequestEnclaveChallenge`; `answer` receives exactly one answer per request."""

    def __init__(
        self, registry_url: str, stack: str, label: str, wallet: Wallet, answer: Callable[[Answer], None]
    ) -> None:
        self._registry_url = registry_url
        self._stack_request = registry_pb.GetStackRequest(stack=stack, label=label)
        self._stack = f"stack {stack}" if stack else "the default stack"
        self._wallet = wallet
        self._answer = answer
        self._channels = ChannelPool(idempotent=_IDEMPOTENT)
        self.in_flight: RequestsInFlight[tuple[type[Wanted], str]] = RequestsInFlight()

    def request(self, wanted: Wanted) -> None:
        """Start a request; do nothing while the same one is in flight."""
        self.in_flight.start(_subject(wanted), lambda: self._run(wanted), name="SMS request")

    async def close(self) -> None:
        """Cancel the requests in flight and close the channels."""
        await self.in_flight.close()
        await self._channels.close()

    async def _run(self, wanted: Wanted) -> None:
        answer = await self._answer_of(wanted)
        self.in_flight.complete(_subject(wanted))
        if isinstance(answer, SmsRefused | SmsUnreachable):
            log.warning(
                "sms.refused" if isinstance(answer, SmsRefused) else "sms.lost",
                task=wanted.task_id,
                registry=self._registry_url,
                error=answer.message,
            )
        self._answer(answer)

    async def _answer_of(self, wanted: Wanted) -> Answer:
        try:
            framework = _framework_of(wanted.tag)
            url = await self._find(wanted.task_id, framework)
            if not isinstance(url, str):
                return url
            if isinstance(wanted, FindSms):
                return SmsFound(wanted.task_id, url)
            return await self._challenge(wanted.task_id, url)
        except NoSms as error:
            return SmsRefused(wanted.task_id, ReplicateStatusCause.UNKNOWN_SMS, str(error))

    async def _find(self, task_id: TaskId, framework: TeeFramework) -> str | SmsUnreachable:
        """Return the URL of the framework's SMS. Raises NoSms."""
        none = f"no SMS serves {framework.name} in {self._stack} of the platform registry"
        registry: Any = PlatformServiceStub(self._channel(self._registry_url, none))
        try:
            stack = (await self._call(registry.GetStack, self._stack_request)).stack
        except grpc.aio.AioRpcError as error:
            if error.code() is _C.NOT_FOUND or error.code() in _REFUSALS:
                raise NoSms(f"{none}: {_describe(error)}") from error
            return SmsUnreachable(task_id, f"the platform registry does not answer ({_describe(error)})")
        kind = _FRAMEWORKS[framework]
        url = next((found.url for found in stack.sms_locations if found.framework == kind), "")
        if not url:
            raise NoSms(none)
        sms: Any = TeeServiceStub(self._channel(url, none))
        try:
            served = (await self._call(sms.GetFramework, sms_pb.GetFrameworkRequest())).framework
        except grpc.aio.AioRpcError as error:
            if error.code() in _REFUSALS:
                raise NoSms(f"{none}: {url} is not an SMS ({_describe(error)})") from error
            return SmsUnreachable(
                task_id, f"the SMS for {framework.name} at {url} does not answer ({_describe(error)})"
            )
        if served != kind:
            raise NoSms(f"{none}: the SMS at {url} serves another framework")
        return url

    async def _challenge(self, task_id: TaskId, url: str) -> Answer:
        sms: Any = TeeServiceStub(self._channel(url, url))
        signature = self._wallet.sign_message_hash(sms_challenge_hash(task_id))
        request = sms_pb.CreateChallengeRequest(task_id=task_id, signature=to_hex(signature))
        try:
            challenge = (await self._call(sms.CreateChallenge, request)).enclave_challenge
        except grpc.aio.AioRpcError as error:
            if error.code() in _REFUSALS:
                message = f"the SMS at {url} refused the enclave challenge: {_describe(error)}"
                return SmsRefused(task_id, ReplicateStatusCause.TEE_PREPARATION_FAILED, message)
            return SmsUnreachable(
                task_id, f"the SMS at {url} issues no enclave challenge ({_describe(error)})"
            )
        return EnclaveChallengeAnswered(task_id, challenge, url)

    @staticmethod
    async def _call(method: Any, request: Any) -> Any:
        return await method(request, timeout=_CALL_TIMEOUT_S, wait_for_ready=True)

    def _channel(self, url: str, problem: str) -> grpc.aio.Channel:
        try:
            return self._channels.to(url)
        except ValueError as error:
            raise NoSms(f"{problem}: {error}") from error


def _subject(wanted: Wanted) -> tuple[type[Wanted], str]:
    return type(wanted), wanted.task_id


def _framework_of(tag: str) -> TeeFramework:
    framework = tee_framework(tag)
    if framework is None:
        raise NoSms(f"tag {tag} names no TEE framework")
    return framework


def _describe(error: grpc.aio.AioRpcError) -> str:
    """Return the reason and message of a refused call, or the name of its code."""
    reason = error_reason(error)
    return f"{reason}: {error.details()}" if reason else error.code().name
