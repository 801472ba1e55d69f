"""Client of the platform registry and the SMS: obtains the enclave challenge of a TEE task."""

from collections.abc import Callable
from typing import Any

import grpc
from workerpool_kit.grpc.client import error_reason
from workerpool_kit.logs import get_logger
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import sms_challenge_hash
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.tags import TeeFramework, tee_framework
from workerpool_protocol.registry.v1 import platform_service_pb2 as registry_pb
from workerpool_protocol.registry.v1.platform_service_pb2_grpc import PlatformServiceStub
from workerpool_protocol.sms.v1 import tee_service_pb2 as sms_pb
from workerpool_protocol.sms.v1.tee_service_pb2_grpc import TeeServiceStub

from workerpool_core.adapters.grpc.channel_pool import ChannelPool
from workerpool_core.adapters.grpc.requests_in_flight import RequestsInFlight
from workerpool_core.domain.decisions import AskEnclaveChallenge
from workerpool_core.domain.events import EnclaveChallengeAnswered

log = get_logger()

_CALL_TIMEOUT_S = 30.0
"""Includes gRPC's own retries and the wait for a restarting server."""
_IDEMPOTENT = ("workerpool.registry.v1.PlatformService", "workerpool.sms.v1.TeeService")
_UNREACHABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
_FRAMEWORKS = {
    TeeFramework.SCONE: registry_pb.TEE_FRAMEWORK_SCONE,
    TeeFramework.GRAMINE: registry_pb.TEE_FRAMEWORK_GRAMINE,
    TeeFramework.TDX: registry_pb.TEE_FRAMEWORK_TDX,
}


class NoSms(Exception):
    """The platform registry names no SMS for the framework, or the SMS there serves another framework."""


class SmsClient:
    """Carry out `AskEnclaveChallenge`.

    An unreachable registry or SMS yields no answer, so the scheduler asks again later.
    """

    def __init__(
        self,
        registry_url: str,
        stack: str,
        label: str,
        wallet: Wallet,
        answer: Callable[[EnclaveChallengeAnswered], None],
    ) -> None:
        self._registry_url = registry_url
        self._stack_request = registry_pb.GetStackRequest(stack=stack, label=label)
        self._wallet = wallet
        self._answer = answer
        self._channels = ChannelPool(idempotent=_IDEMPOTENT)
        self.in_flight: RequestsInFlight[str] = RequestsInFlight()

    def request(self, wanted: AskEnclaveChallenge) -> None:
        """Start a request. Do nothing while one for the same task is in flight."""
        self.in_flight.start(wanted.task_id, lambda: self._run(wanted), name="enclave challenge")

    async def close(self) -> None:
        """Cancel the requests in flight and close the channels."""
        await self.in_flight.close()
        await self._channels.close()

    async def _run(self, wanted: AskEnclaveChallenge) -> None:
        try:
            challenge, url = await self._ask(wanted)
            answer = EnclaveChallengeAnswered(wanted.task_id, challenge, url)
        except NoSms as error:
            log.warning("enclave.no_sms", task=wanted.task_id, error=str(error))
            answer = EnclaveChallengeAnswered(wanted.task_id, "")
        except grpc.aio.AioRpcError as error:
            reason = error_reason(error) or error.code().name
            unreachable = error.code() in _UNREACHABLE
            log.warning("enclave.challenge_failed", task=wanted.task_id, reason=reason, retried=unreachable)
            if unreachable:
                return
            answer = EnclaveChallengeAnswered(wanted.task_id, "")
        self.in_flight.complete(wanted.task_id)
        self._answer(answer)

    async def _ask(self, wanted: AskEnclaveChallenge) -> tuple[str, str]:
        framework = tee_framework(wanted.tag)
        if framework is None:
            raise NoSms(f"tag {wanted.tag} names no TEE framework")
        kind = _FRAMEWORKS[framework]
        registry: Any = PlatformServiceStub(self._channel(self._registry_url))
        stack = (await self._call(registry.GetStack, self._stack_request)).stack
        url = next((found.url for found in stack.sms_locations if found.framework == kind), "")
        if not url:
            raise NoSms(f"the platform registry names no SMS for {framework.name}")
        sms: Any = TeeServiceStub(self._channel(url))
        served = (await self._call(sms.GetFramework, sms_pb.GetFrameworkRequest())).framework
        if served != kind:
            raise NoSms(f"the SMS at {url} serves another framework than {framework.name}")
        signature = self._wallet.sign_message_hash(sms_challenge_hash(wanted.task_id))
        request = sms_pb.CreateChallengeRequest(task_id=wanted.task_id, signature=to_hex(signature))
        return (await self._call(sms.CreateChallenge, request)).enclave_challenge, url

    @staticmethod
    async def _call(method: Any, request: Any) -> Any:
        return await method(request, timeout=_CALL_TIMEOUT_S, wait_for_ready=True)

    def _channel(self, url: str) -> grpc.aio.Channel:
        try:
            return self._channels.to(url)
        except ValueError as error:
            raise NoSms(str(error)) from error
