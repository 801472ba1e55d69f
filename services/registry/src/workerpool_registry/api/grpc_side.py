"""gRPC side of the registry. Everything it tells is public."""

from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import grpc
from google.protobuf.duration_pb2 import Duration
from workerpool_kit.access.authenticators import ANYONE
from workerpool_protocol.registry.v1 import (
    config_service_pb2,
    config_service_pb2_grpc,
    platform_service_pb2,
    platform_service_pb2_grpc,
)

from workerpool_registry.app.platform import Platform
from workerpool_registry.domain.catalogue import ChainConfig, Stack, TeeFramework

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

CONFIG_SERVICE = "workerpool.registry.v1.ConfigService"
PLATFORM_SERVICE = "workerpool.registry.v1.PlatformService"

POLICY = {
    f"/{CONFIG_SERVICE}/GetChain": frozenset({ANYONE}),
    f"/{PLATFORM_SERVICE}/GetStack": frozenset({ANYONE}),
    f"/{PLATFORM_SERVICE}/WatchStack": frozenset({ANYONE}),
}

_FRAMEWORKS = {
    TeeFramework.SCONE: platform_service_pb2.TEE_FRAMEWORK_SCONE,
    TeeFramework.GRAMINE: platform_service_pb2.TEE_FRAMEWORK_GRAMINE,
    TeeFramework.TDX: platform_service_pb2.TEE_FRAMEWORK_TDX,
}


class ConfigServicer(config_service_pb2_grpc.ConfigServiceServicer):
    """Answers which chain the pool works on."""

    def __init__(self, chain: ChainConfig) -> None:
        block_time = Duration()
        block_time.FromNanoseconds(round(chain.block_time_s * 1_000) * 1_000_000)
        self._chain = config_service_pb2.ChainConfig(
            chain_id=chain.chain_id,
            sidechain=chain.sidechain,
            node_url=chain.node_url,
            hub_address=chain.hub_address,
            block_time=block_time,
        )

    async def GetChain(
        self, request: config_service_pb2.GetChainRequest, context: Context
    ) -> config_service_pb2.GetChainResponse:
        """Return the chain configuration."""
        return config_service_pb2.GetChainResponse(chain=self._chain)


class PlatformServicer(platform_service_pb2_grpc.PlatformServiceServicer):
    """Answers where the services of a stack are."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def GetStack(
        self, request: platform_service_pb2.GetStackRequest, context: Context
    ) -> platform_service_pb2.GetStackResponse:
        """Return one stack."""
        stack = self._platform.stack(request.stack, request.label)
        return platform_service_pb2.GetStackResponse(stack=_message(stack))

    async def WatchStack(
        self, request: platform_service_pb2.WatchStackRequest, context: Context
    ) -> AsyncIterator[platform_service_pb2.WatchStackResponse]:
        """Send one stack now and at every change."""
        async for stack in self._platform.watch(request.stack, request.label):
            yield platform_service_pb2.WatchStackResponse(stack=_message(stack))


def _message(stack: Stack) -> platform_service_pb2.Stack:
    locations = [
        platform_service_pb2.SmsLocation(framework=_FRAMEWORKS[framework], url=url)
        for framework, url in stack.sms_locations.items()
    ]
    return platform_service_pb2.Stack(
        name=stack.name, label=stack.label, version=stack.version, sms_locations=locations
    )
