"""Settings of the chain adapter, under the documented variable names of the iExec stack."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from workerpool_kit.settings.base import THIS_HOST, MongoSettings, Settings, env, secret
from workerpool_kit.settings.node import SenderSettings
from workerpool_kit.settings.secrets import check_password
from workerpool_kit.settings.types import BindAddress, DurationSeconds, EthAddress, Port, Url

DOCUMENTED_PASSWORD = "whatever"
"""The documented default, for trials; accepted only while both ports listen on loopback, with a warning."""


class ChainAdapterSettings(Settings, MongoSettings, SenderSettings):
    """All settings of the chain adapter."""

    own_prefixes: ClassVar[tuple[str, ...]] = ("IEXEC_BLOCKCHAIN_ADAPTER_API_",)
    ignored_variables: ClassVar[Mapping[str, str]] = {
        "IEXEC_PUBLIC_CHAIN_ADDRESS": "the chain adapter uses the node of IEXEC_BLOCKCHAIN_NODE_ADDRESS",
        "IEXEC_PRIVATE_CHAIN_ADDRESS": "the chain adapter uses the node of IEXEC_BLOCKCHAIN_NODE_ADDRESS",
        "IEXEC_START_BLOCK_NUMBER": "the chain adapter reads no past blocks; set it on core",
        "POOL_ADDRESS": "the chain adapter serves every pool of its wallet; set it on core",
    }

    http_port: Port = env("IEXEC_BLOCKCHAIN_ADAPTER_API_PORT", 13010, doc="HTTP port")
    grpc_port: Port | None = env(
        "WORKERPOOL_GRPC_PORT", None, doc="gRPC port; unset means the HTTP port + 10000"
    )
    http_bind: BindAddress = env(
        "WORKERPOOL_HTTP_BIND_ADDRESS",
        THIS_HOST,
        doc="Address of this host on which the HTTP port listens. The adapter spends the pool owner's money, so the "
        "default is loopback; 0.0.0.0 for every interface",
    )
    grpc_bind: BindAddress = env(
        "WORKERPOOL_GRPC_BIND_ADDRESS",
        THIS_HOST,
        doc="Address of this host on which the gRPC port listens",
    )
    username: str = env(
        "IEXEC_BLOCKCHAIN_ADAPTER_API_USERNAME", "admin", doc="User name that callers must send (HTTP basic)"
    )
    password: SecretStr = secret(
        "IEXEC_BLOCKCHAIN_ADAPTER_API_PASSWORD", DOCUMENTED_PASSWORD, doc="Password that callers must send"
    )

    mongo_host: str = env(
        "MONGO_HOST",
        "localhost",
        doc="Host of a MongoDB replica set member",
        aliases=("IEXEC_BLOCKCHAIN_ADAPTER_API_MONGO_HOST",),
    )
    mongo_port: Port = env(
        "MONGO_PORT", 13012, doc="Port of that member", aliases=("IEXEC_BLOCKCHAIN_ADAPTER_API_MONGO_PORT",)
    )
    mongo_database: str = env("MONGO_DATABASE", "chain_adapter", doc="Name of this service's own database")

    wallet_path: Path = env(
        "IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET_PATH",
        doc="Keystore (JSON, version 3) of the pool owner's wallet",
        secret_file=True,
    )
    wallet_password: SecretStr = secret(
        "IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET_PASSWORD", doc="Password of that keystore"
    )
    max_in_flight: Annotated[int, Field(ge=1, le=1_000)] = env(
        "IEXEC_BLOCKCHAIN_ADAPTER_API_MAX_ALLOWED_TX_PER_BLOCK",
        64,
        doc="Most transactions sent and not yet mined; 1 sends one at a time",
    )

    chain_id: Annotated[int, Field(gt=0)] = env("IEXEC_CHAIN_ID", 134, doc="EIP-155 id of the chain")
    node_url: Url = env(
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS",
        "https://bellecour.iex.ec",
        doc="JSON-RPC address of the blockchain node; `GET /config/chain` returns it to every caller",
    )
    hub_address: EthAddress = env(
        "IEXEC_HUB_ADDRESS",
        "0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f",
        doc="Address of the IexecHub contract",
    )
    block_time_s: Annotated[DurationSeconds, Field(ge=0.1, le=20)] = env(
        "IEXEC_BLOCK_TIME", "PT5S", doc="Time between two blocks, 100 ms to 20 s"
    )
    sidechain: bool = env("IEXEC_IS_SIDECHAIN", True, doc="Whether gas is free on this chain")
    gas_price_multiplier: Annotated[float, Field(ge=0)] = env(
        "IEXEC_GAS_PRICE_MULTIPLIER",
        1.0,
        doc="Factor on the network's gas price; 0 pays nothing",
        aliases=("IEXEC_BLOCKCHAIN_ADAPTER_API_GAS_PRICE_MULTIPLIER",),
    )
    gas_price_cap: Annotated[int, Field(ge=0)] = env(
        "IEXEC_GAS_PRICE_CAP",
        22_000_000_000,
        doc="Highest gas price in wei, replacements included; 0 pays nothing",
        aliases=("IEXEC_BLOCKCHAIN_ADAPTER_API_GAS_PRICE_CAP",),
    )

    @field_validator("hub_address")
    @classmethod
    def _check_hub(cls, value: str) -> str:
        if int(value, 16) == 0:
            raise ValueError("the hub cannot be the zero address")
        return value

    @model_validator(mode="after")
    def _check_password(self) -> Self:
        check_password(
            "IEXEC_BLOCKCHAIN_ADAPTER_API_PASSWORD",
            self.password,
            {
                "WORKERPOOL_HTTP_BIND_ADDRESS": self.http_bind,
                "WORKERPOOL_GRPC_BIND_ADDRESS": self.grpc_bind,
            },
        )
        return self
