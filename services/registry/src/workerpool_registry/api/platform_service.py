"""`workerpool.registry.v1.PlatformService`: the public SMS locations of stacks."""

from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import grpc
from workerpool_kit.access.authenticators import ANYONE
from workerpool_protocol.registry.v1 import platform_service_pb2 as pb
from workerpool_protocol.registry.v1.platform_service_pb2_grpc import PlatformServiceServicer

from workerpool_registry.app.platform import Platform
from workerpool_registry.domain.stack import Stack, TeeFramework

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

SERVICE = "workerpool.registry.v1.PlatformService"
POLICY = {f"/{SERVICE}/{method}": frozenset({ANYONE}) for method in ("GetStack", "WatchStack")}

_FRAMEWORKS = {
    TeeFramework.SCONE: pb.TEE_FRAMEWORK_SCONE,
    TeeFramework.GRAMINE: pb.TEE_FRAMEWORK_GRAMINE,
    TeeFramework.TDX: pb.TEE_FRAMEWORK_TDX,
}


class PlatformServicer(PlatformServiceServicer):
    """The service that platform_service.proto documents."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def GetStack(self, request: pb.GetStackRequest, context: Context) -> pb.GetStackResponse:
        """Return one stack. Raises StackNotFound when no file describes it."""
        return pb.GetStackResponse(stack=_message(self._platform.stack(request.stack, request.label)))

    async def WatchStack(
        self, request: pb.WatchStackRequest, context: Context
    ) -> AsyncIterator[pb.WatchStackResponse]:
        """Send one stack now and after each change."""
        async for stack in self._platform.watch(request.stack, request.label):
            yield pb.WatchStackResponse(stack=_message(stack))


def _message(stack: Stack) -> pb.Stack:
    locations = [
        pb.SmsLocation(framework=_FRAMEWORKS[framework], url=url)
        for framework, url in stack.sms_locations.items()
    ]
    return pb.Stack(name=stack.name, label=stack.label, version=stack.version, sms_locations=locations)
