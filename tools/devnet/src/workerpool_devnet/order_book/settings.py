"""Settings of the market's process; the devnet sets them all."""

from __future__ import annotations

from pathlib import Path

from workerpool_kit.settings.base import Settings, env
from workerpool_kit.settings.types import EthAddress, Port, Url


class OrderBookSettings(Settings):
    """Where the market listens, which hub it serves, and where it keeps its orders."""

    http_port: Port = env("WORKERPOOL_DEVNET_MARKET_PORT", doc="HTTP port")
    journal: Path = env("WORKERPOOL_DEVNET_MARKET_JOURNAL", doc="File of the published orders")
    node_url: Url = env("IEXEC_BLOCKCHAIN_NODE_ADDRESS", doc="JSON-RPC address of the node")
    chain_id: int = env("IEXEC_CHAIN_ID", doc="EIP-155 id of the chain")
    hub_address: EthAddress = env("IEXEC_HUB_ADDRESS", doc="Address of the PoCo hub")
