"""Settings of the registry, under the documented variable names of the iExec stack."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator
from workerpool_kit.chain.config import MAX_BLOCK_TIME_S, MIN_BLOCK_TIME_S
from workerpool_kit.settings.base import Settings, env
from workerpool_kit.settings.types import DurationSeconds, EthAddress, Port

_ZERO_ADDRESS = "0x" + "00" * 20


def _node_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https", "ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("expected the URL of a node, such as https://host:port or wss://host:port")
    return value


NodeUrl = Annotated[str, AfterValidator(_node_url)]
"""JSON-RPC address of a node: http(s) or ws(s)."""


class RegistrySettings(Settings):
    """Settings of the config server and of the platform registry.

    `own_prefixes` is empty, because other services have variables with the same prefixes (`IEXEC_CONFIG_SERVER_URL` is
    core's), and one environment file may serve them all.
    """

    http_port: Port = env("IEXEC_CONFIG_SERVER_PORT", 8888, doc="HTTP port")
    grpc_port: Port | None = env(
        "WORKERPOOL_GRPC_PORT", None, doc="gRPC port; unset means the HTTP port + 10000"
    )
    chain_id: int = env("IEXEC_CHAIN_ID", 134, doc="EIP-155 id of the chain the pool works on")
    sidechain: bool = env(
        "IEXEC_IS_SIDECHAIN", True, doc="true on an iExec sidechain, where gas costs nothing"
    )
    node_url: NodeUrl = env(
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS",
        "https://bellecour.iex.ec",
        doc="JSON-RPC address (http, https, ws or wss) of a node that every worker can reach",
        aliases=("IEXEC_PUBLIC_CHAIN_ADDRESS",),
    )
    hub_address: EthAddress = env(
        "IEXEC_HUB_ADDRESS",
        "0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f",
        doc="Address of the IexecHub contract",
    )
    block_time_s: Annotated[DurationSeconds, Field(ge=MIN_BLOCK_TIME_S, le=MAX_BLOCK_TIME_S)] = env(
        "IEXEC_BLOCK_TIME", "PT5S", doc="Time between two blocks, 100 ms to 20 s"
    )
    platform_dir: Path | None = env(
        "IEXEC_PLATFORM_REGISTRY_DIR",
        None,
        doc="Folder with application.yml and application-<stack>.yml; a sub-folder is the label of its files",
    )
    refresh_interval_s: Annotated[DurationSeconds, Field(gt=0)] = env(
        "IEXEC_PLATFORM_REGISTRY_REFRESH_INTERVAL",
        "PT1S",
        doc="Time between two checks of the folder for edited files",
    )

    @field_validator("chain_id")
    @classmethod
    def _positive_chain_id(cls, value: int) -> int:
        if value <= 0:
            raise ValueError("expected a chain id greater than 0")
        return value

    @field_validator("hub_address")
    @classmethod
    def _real_hub(cls, value: str) -> str:
        if value == _ZERO_ADDRESS:
            raise ValueError("expected the address of the hub, not the zero address")
        return value
