"""Client of the platform registry and its SMS: check whether enclave tasks of a framework can be served."""

from typing import Any

import grpc
from workerpool_kit.grpc.client import error_reason, open_service
from workerpool_poco.protocol.tags import TeeFramework
from workerpool_protocol.registry.v1 import platform_service_pb2 as registry_pb
from workerpool_protocol.registry.v1.platform_service_pb2_grpc import PlatformServiceStub
from workerpool_protocol.sms.v1 import tee_service_pb2 as sms_pb
from workerpool_protocol.sms.v1.tee_service_pb2_grpc import TeeServiceStub

from workerpool_order_publisher.app.ports import PeerOutage

_CALL_LIMIT_S = 5.0
_FRAMEWORKS = {
    TeeFramework.SCONE: registry_pb.TEE_FRAMEWORK_SCONE,
    TeeFramework.GRAMINE: registry_pb.TEE_FRAMEWORK_GRAMINE,
    TeeFramework.TDX: registry_pb.TEE_FRAMEWORK_TDX,
}


class PlatformEnclaves:
    """Looks up the SMS of a framework in the platform registry, and checks its framework, as core does."""

    def __init__(self, registry_url: str, stack: str, label: str) -> None:
        self._registry_url = registry_url
        self._request = registry_pb.GetStackRequest(stack=stack, label=label)

    async def objection(self, framework: TeeFramework) -> str:
        """Return why no SMS serves a framework; empty when one does. Raises PeerOutage."""
        kind = _FRAMEWORKS[framework]
        try:
            async with open_service(self._registry_url) as channel:
                registry: Any = PlatformServiceStub(channel)
                stack = (await registry.GetStack(self._request, timeout=_CALL_LIMIT_S)).stack
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return f"no SMS serves {framework.name}: {error.details()}"
            raise _outage("platform registry", error) from error
        url = next((found.url for found in stack.sms_locations if found.framework == kind), "")
        if not url:
            return f"no SMS serves {framework.name}: the platform registry lists none"
        try:
            async with open_service(url) as channel:
                sms: Any = TeeServiceStub(channel)
                answer = await sms.GetFramework(sms_pb.GetFrameworkRequest(), timeout=_CALL_LIMIT_S)
        except ValueError as error:
            return f"no SMS serves {framework.name}: {error}"
        except grpc.aio.AioRpcError as error:
            raise _outage(f"SMS at {url}", error) from error
        if answer.framework != kind:
            return f"no SMS serves {framework.name}: the SMS at {url} serves another framework"
        return ""


def _outage(peer: str, error: grpc.aio.AioRpcError) -> PeerOutage:
    return PeerOutage(f"the {peer} does not answer ({error_reason(error) or error.code().name})")
