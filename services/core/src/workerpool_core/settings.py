"""Settings of core, under the names the iExec stack documents. New ones start with WORKERPOOL_ or are marked so."""

from pathlib import Path
from typing import Annotated, ClassVar, Self, cast

from pydantic import Field, SecretStr, field_validator, model_validator
from workerpool_kit.settings.base import MongoSettings, Settings, env, secret
from workerpool_kit.settings.types import DurationSeconds, EthAddress, Port, Url

PositiveInt = Annotated[int, Field(gt=0)]
_SPLIT = ("protocol", "host", "port")
_WITHOUT_EFFECT = "Accepted for compatibility, without effect"


def database_client_name(settings: MongoSettings) -> str:
    """Return the name of a running core in its database server's list of clients."""
    return f"workerpool-core {settings.mongo_database}"


class CoreSettings(Settings, MongoSettings):
    """Everything the scheduler is told at start."""

    own_prefixes: ClassVar[tuple[str, ...]] = (
        "IEXEC_CORE_CHAIN_ADAPTER_",
        "IEXEC_CORE_WALLET_",
        "IEXEC_CORE_OPERATOR_",
        "IEXEC_CORE_MANAGEMENT_",
        "IEXEC_CHAIN_HEALTH_",
        "IEXEC_LOGS_",
        "WORKERPOOL_CORE_",
    )

    # --- ports and database
    http_port: Port = env("IEXEC_CORE_PORT", 13000, doc="Port of the HTTP side")
    grpc_port: Port | None = env(
        "WORKERPOOL_GRPC_PORT", None, doc="Port of the gRPC side; unset means the HTTP port + 10000"
    )
    mongo_port: Port = env("MONGO_PORT", 13002, doc="Port of the MongoDB replica set member to start from")
    mongo_database: str = env("MONGO_DATABASE", "iexec", doc="Name of core's own database")

    # --- wallet, pool, chain
    wallet_path: Path = env(
        "IEXEC_CORE_WALLET_PATH",
        Path("./src/main/resources/wallet/encrypted-wallet_scheduler.json"),
        doc="Key store file of the wallet that owns the workerpool and signs authorizations",
    )
    wallet_password: SecretStr = secret(
        "IEXEC_CORE_WALLET_PASSWORD", "whatever", doc="Password of the key store file"
    )
    node_url: Url = env(
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS",
        "http://localhost:8545",
        doc="JSON-RPC address of the blockchain node",
        aliases=("IEXEC_PRIVATE_CHAIN_ADDRESS",),
    )
    pool_address: EthAddress = env(
        "POOL_ADDRESS",
        "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27",
        doc="Address of the workerpool on chain",
    )
    start_block: Annotated[int, Field(ge=0)] = env(
        "IEXEC_START_BLOCK_NUMBER",
        0,
        doc="First block to look for deals in. Ignored while the database has a cursor: stop core and run "
        "workerpool-core reset-cursor --to N to start elsewhere",
    )
    confirmations: Annotated[int, Field(ge=0, le=64)] = env(
        "WORKERPOOL_CORE_CONFIRMATIONS",
        0,
        doc="Blocks that must follow a block before its deals and events count",
    )
    largest_log_range: PositiveInt = env(
        "WORKERPOOL_CORE_MAX_LOGS_BATCH_SIZE",
        1000,
        doc="Most blocks in one search for logs while catching up; made smaller when the node asks for it",
    )
    gas_price_multiplier: Annotated[float, Field(ge=0)] = env(
        "IEXEC_GAS_PRICE_MULTIPLIER",
        1.0,
        doc=f"{_WITHOUT_EFFECT}: core sends no transactions, the chain adapter does",
    )
    gas_price_cap: Annotated[int, Field(ge=0)] = env(
        "IEXEC_GAS_PRICE_CAP",
        22_000_000_000,
        doc="Wei. Unless gas costs nothing (a sidechain), a worker whose wallet cannot pay for 1,000,000 gas at this "
        "price gets no work; 0 gives work to every wallet",
    )
    out_of_service_threshold_s: Annotated[DurationSeconds, Field(gt=0)] | None = env(
        "CHAIN_OUTOFSERVICETHRESHOLD",
        None,
        doc="How long the node may be silent, and how old the newest block may be (at least six block times), before "
        "no work is given out; unset means IEXEC_CHAIN_HEALTH_POLLING_INTERVAL_IN_BLOCKS times "
        "IEXEC_CHAIN_HEALTH_OUT_OF_SERVICE_THRESHOLD blocks, at least PT5S",
    )
    health_interval_blocks: PositiveInt = env(
        "IEXEC_CHAIN_HEALTH_POLLING_INTERVAL_IN_BLOCKS",
        3,
        doc="Blocks between two documented looks at the chain; heads are pushed, so it only scales the threshold",
    )
    health_failures: PositiveInt = env(
        "IEXEC_CHAIN_HEALTH_OUT_OF_SERVICE_THRESHOLD",
        4,
        doc="Missed looks before the scheduler is OUT_OF_SERVICE",
    )

    # --- other services
    config_server_url: Url | None = env(
        "IEXEC_CONFIG_SERVER_URL",
        None,
        doc="URL of the config server; replaces IEXEC_CONFIG_SERVER_PROTOCOL, _HOST and _PORT",
    )
    config_server_protocol: str = env("IEXEC_CONFIG_SERVER_PROTOCOL", "http", doc="http or https")
    config_server_host: str = env("IEXEC_CONFIG_SERVER_HOST", "localhost", doc="Host of the config server")
    config_server_port: Port = env("IEXEC_CONFIG_SERVER_PORT", 8888, doc="HTTP port of the config server")
    chain_adapter_url: Url | None = env(
        "IEXEC_CORE_CHAIN_ADAPTER_URL",
        None,
        doc="URL of the chain adapter; replaces IEXEC_CORE_CHAIN_ADAPTER_PROTOCOL, _HOST and _PORT",
    )
    chain_adapter_protocol: str = env("IEXEC_CORE_CHAIN_ADAPTER_PROTOCOL", "http", doc="http or https")
    chain_adapter_host: str = env(
        "IEXEC_CORE_CHAIN_ADAPTER_HOST", "localhost", doc="Host of the chain adapter"
    )
    chain_adapter_port: Port = env(
        "IEXEC_CORE_CHAIN_ADAPTER_PORT", 13010, doc="HTTP port of the chain adapter"
    )
    chain_adapter_username: str = env(
        "IEXEC_CORE_CHAIN_ADAPTER_USERNAME", "admin", doc="User name for the chain adapter"
    )
    chain_adapter_password: SecretStr = secret(
        "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD", "whatever", doc="Password for the chain adapter"
    )
    result_proxy_url: Url | None = env(
        "IEXEC_RESULT_REPOSITORY_URL",
        None,
        doc="URL of the result proxy; replaces IEXEC_RESULT_REPOSITORY_PROTOCOL, _HOST and _PORT",
    )
    result_proxy_protocol: str = env("IEXEC_RESULT_REPOSITORY_PROTOCOL", "http", doc="http or https")
    result_proxy_host: str = env("IEXEC_RESULT_REPOSITORY_HOST", "localhost", doc="Host of the result proxy")
    result_proxy_port: Port = env("IEXEC_RESULT_REPOSITORY_PORT", 13200, doc="HTTP port of the result proxy")
    platform_registry_url: Url = env(
        "IEXEC_PLATFORM_REGISTRY",
        "http://localhost:8888",
        doc="URL of the platform registry, which names the SMS of each TEE framework; asked when a TEE task comes",
    )
    platform_registry_stack: str = env(
        "IEXEC_PLATFORM_REGISTRY_STACK", "", doc="Stack of the platform registry to use"
    )
    platform_registry_label: str = env(
        "IEXEC_PLATFORM_REGISTRY_LABEL", "", doc="Label (version) of the platform registry's files to use"
    )

    # --- workers
    required_worker_version: str = env(
        "IEXEC_CORE_REQUIRED_WORKER_VERSION", "", doc="Version every worker must have; empty allows any"
    )
    whitelist: tuple[EthAddress, ...] = env(
        "IEXEC_WORKERS_WHITELIST",
        (),
        doc="Wallets of the workers that may log in, in any case; empty allows all",
    )
    ask_replicate_period_ms: PositiveInt = env(
        "IEXEC_ASK_REPLICATE_PERIOD",
        5000,
        doc=f"{_WITHOUT_EFFECT}: work is pushed to workers, nobody asks for it",
    )
    reveal_timeout_period_ms: PositiveInt = env(
        "REVEAL_TIMEOUT_PERIOD",
        120_000,
        doc="Milliseconds between two comparisons of every live task with the chain, which find what no event told; "
        "deadlines, the reveal's included, are acted on when they pass",
    )
    slot_memory_mib: Annotated[int, Field(ge=0)] = env(
        "WORKERPOOL_CORE_SLOT_MEMORY_MIB",
        0,
        doc="Memory that a worker must have for each task it computes at once: one with less than the sum gets fewer "
        "tasks than it has slots; 0 looks at slots only",
    )
    token_lifetime_s: Annotated[DurationSeconds, Field(gt=0)] = env(
        "WORKERPOOL_CORE_TOKEN_LIFETIME", "PT1H", doc="How long a worker's bearer token lasts"
    )

    # --- operators and upkeep
    operator_username: str = env(
        "IEXEC_CORE_OPERATOR_USERNAME",
        "",
        doc="User name for the operator's methods (drain, undrain, release); they are closed while it is unset",
    )
    operator_password: SecretStr | None = secret(
        "IEXEC_CORE_OPERATOR_PASSWORD", None, doc="Password for the operator's methods"
    )
    actuators: tuple[str, ...] = env(
        "IEXEC_CORE_MANAGEMENT_ACTUATORS",
        ("health", "info"),
        doc="Endpoints under /actuator that are open, such as prometheus; * for all",
    )
    logs_purge_rate_days: PositiveInt = env(
        "IEXEC_LOGS_PURGE_RATE_IN_DAYS", 1, doc="Days between two purges of compute logs"
    )
    logs_availability_days: PositiveInt = env(
        "IEXEC_LOGS_AVAILABILITY_PERIOD_IN_DAYS", 3, doc="Days that the compute logs of past tasks are kept"
    )

    @field_validator("config_server_protocol", "chain_adapter_protocol", "result_proxy_protocol")
    @classmethod
    def _web_protocol(cls, value: str) -> str:
        if value not in ("http", "https"):
            raise ValueError("expected http or https")
        return value

    @model_validator(mode="after")
    def _one_way_to_each_service(self) -> Self:
        for service, url in (
            ("config_server", "IEXEC_CONFIG_SERVER_URL"),
            ("chain_adapter", "IEXEC_CORE_CHAIN_ADAPTER_URL"),
            ("result_proxy", "IEXEC_RESULT_REPOSITORY_URL"),
        ):
            split = {f"{service}_{part}" for part in _SPLIT} & self.model_fields_set
            if getattr(self, f"{service}_url") is not None and split:
                prefix = url.removesuffix("_URL")
                raise ValueError(f"{url}: set either {url}, or {prefix}_PROTOCOL, _HOST and _PORT, not both")
        if bool(self.operator_username) != (self.operator_password is not None):
            raise ValueError(
                "IEXEC_CORE_OPERATOR_USERNAME: set it together with IEXEC_CORE_OPERATOR_PASSWORD"
            )
        return self

    def url_of(self, service: str) -> str:
        """Return the documented HTTP URL of "config_server", "chain_adapter" or "result_proxy"."""
        url: str | None = getattr(self, f"{service}_url")
        protocol, host, port = (getattr(self, f"{service}_{part}") for part in _SPLIT)
        return url or f"{protocol}://{host}:{port}"

    def without_effect(self) -> dict[str, str]:
        """Return the variables that are set and change nothing here, with the reason."""
        fields = type(self).model_fields
        docs = {name: fields[name].description or "" for name in self.model_fields_set}
        return {
            str(cast(dict[str, object], fields[name].json_schema_extra)["variable"]): doc.partition(": ")[2]
            for name, doc in sorted(docs.items())
            if doc.startswith(_WITHOUT_EFFECT)
        }

    def threshold_s(self, block_time_s: float) -> float:
        """Return the documented out-of-service threshold in seconds."""
        if self.out_of_service_threshold_s is not None:
            return self.out_of_service_threshold_s
        return max(self.health_interval_blocks * self.health_failures * block_time_s, 5.0)

    def actuator_open(self, endpoint: str) -> bool:
        """Tell whether an endpoint under /actuator is open."""
        return "*" in self.actuators or endpoint in self.actuators
