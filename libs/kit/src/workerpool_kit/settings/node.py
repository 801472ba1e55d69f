"""Settings of processes that use a blockchain node."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from workerpool_kit.settings.base import env
from workerpool_kit.settings.outside import OutsideSettings

ChainShape = Literal["auto", "mempool", "sequencer", "free"]


class NodeSettings(OutsideSettings):
    """Mix-in for a service that reads the chain."""

    model_config = ConfigDict(frozen=True)

    node_calls_per_s: Annotated[float, Field(ge=1)] = env(
        "WORKERPOOL_NODE_CALLS_PER_SECOND",
        5_000,
        doc="Most calls to the blockchain node per second; further calls wait. Set it to what the provider's plan "
        "allows one process. After a refusal for too many calls the process calls less often by itself",
    )


class SenderSettings(NodeSettings):
    """Mix-in for a service that sends transactions too."""

    chain_shape: ChainShape = env(
        "WORKERPOOL_CHAIN_SHAPE",
        "auto",
        doc="How the chain takes transactions: mempool (Ethereum, anvil), sequencer (Arbitrum), free (Bellecour), or "
        "auto to detect it. A gas price multiplier or cap of 0 means free under auto",
    )
