"""The chain configuration over gRPC."""

from typing import Any

from workerpool_kit.chain.config import ChainConfig
from workerpool_protocol.registry.v1 import config_service_pb2 as pb
from workerpool_registry.api.config_service import ConfigServicer


async def test_chain_configuration_is_served_as_configured(chain: ChainConfig) -> None:
    context: Any = None
    served = (await ConfigServicer(chain).GetChain(pb.GetChainRequest(), context)).chain
    assert (served.chain_id, served.sidechain, served.node_url, served.hub_address) == (
        chain.chain_id,
        chain.sidechain,
        chain.node_url,
        chain.hub_address,
    )
    assert served.block_time.ToMilliseconds() == 500
