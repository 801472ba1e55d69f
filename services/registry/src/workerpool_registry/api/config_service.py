"""`workerpool.registry.v1.ConfigService`: the public chain configuration."""

from typing import Any, TypeAlias

import grpc
from google.protobuf.duration_pb2 import Duration
from workerpool_kit.access.authenticators import ANYONE
from workerpool_kit.chain.config import ChainConfig
from workerpool_protocol.registry.v1 import config_service_pb2 as pb
from workerpool_protocol.registry.v1.config_service_pb2_grpc import ConfigServiceServicer

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

SERVICE = "workerpool.registry.v1.ConfigService"
POLICY = {f"/{SERVICE}/GetChain": frozenset({ANYONE})}


class ConfigServicer(ConfigServiceServicer):
    """The service that config_service.proto documents."""

    def __init__(self, chain: ChainConfig) -> None:
        block_time = Duration()
        block_time.FromMilliseconds(round(chain.block_time_s * 1_000))
        self._chain = pb.ChainConfig(
            chain_id=chain.chain_id,
            sidechain=chain.sidechain,
            node_url=chain.node_url,
            hub_address=chain.hub_address,
            block_time=block_time,
        )

    async def GetChain(self, request: pb.GetChainRequest, context: Context) -> pb.GetChainResponse:
        """Return the chain configuration."""
        return pb.GetChainResponse(chain=self._chain)
