"""Settings of core, under the documented names of the iExec stack. New names start with WORKERPOOL_."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from workerpool_kit.settings.base import MongoSettings, Settings, env, secret
from workerpool_kit.settings.node import NodeSettings
from workerpool_kit.settings.secrets import check_password
from workerpool_kit.settings.types import DurationSeconds, EthAddress, GrpcTarget, Port, Url
from workerpool_kit.targets import service_url

PositiveInt = Annotated[int, Field(gt=0)]
_SPLIT = ("protocol", "host", "port")
_CHAIN_MOVED = "the config server describes the chain; set {} on the registry"
_IGNORED = {
    "IEXEC_ASK_REPLICATE_PERIOD": "core pushes work to workers, which never poll; remove it",
    "IEXEC_GAS_PRICE_MULTIPLIER": "core sends no transactions; set it on the chain adapter",
    "IEXEC_PUBLIC_CHAIN_ADDRESS": _CHAIN_MOVED.format("it"),
    "IEXEC_HUB_ADDRESS": _CHAIN_MOVED.format("it"),
    "IEXEC_CHAIN_ID": _CHAIN_MOVED.format("it"),
    "IEXEC_IPFS_HOST": "core does not use IPFS; set IEXEC_IPFS_URL on the result proxy",
    "IEXEC_IPFS_PORT": "core does not use IPFS; set IEXEC_IPFS_URL on the result proxy",
    "IEXEC_SMS_HOST": "the platform registry names the SMS of each TEE framework; set IEXEC_PLATFORM_REGISTRY",
    "IEXEC_SMS_PORT": "the platform registry names the SMS of each TEE framework; set IEXEC_PLATFORM_REGISTRY",
}
"""Documented variables without effect on core, each with the reason and its successor."""


LIVE_VARIABLES = (
    "IEXEC_RESULT_REPOSITORY_URL",
    "IEXEC_RESULT_REPOSITORY_PROTOCOL",
    "IEXEC_RESULT_REPOSITORY_HOST",
    "IEXEC_RESULT_REPOSITORY_PORT",
    "IEXEC_WORKERS_WHITELIST",
)
"""Variables that WORKERPOOL_CORE_LIVE_FILE may set, and that change while core runs."""


def database_client_name(settings: MongoSettings) -> str:
    """Return the name of a running core in its database server's list of clients."""
    return f"workerpool-core {settings.mongo_database}"


class CoreSettings(Settings, MongoSettings, NodeSettings):
    """The environment variables of the scheduler."""

    ignored_variables: ClassVar[Mapping[str, str]] = _IGNORED

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
    http_port: Port = env("IEXEC_CORE_PORT", 13000, doc="HTTP port")
    public_url: Url | None = env(
        "IEXEC_CORE_PUBLIC_URL",
        None,
        doc="URL of the HTTP port for requesters' tools, returned by the compass (GET "
        "/{chainId}/workerpools/{address}). Unset means http:// with bind address and port, or the address that "
        "a caller reached when core listens on every address",
    )
    grpc_port: Port | None = env(
        "WORKERPOOL_GRPC_PORT", None, doc="gRPC port; unset means the HTTP port + 10000"
    )
    mongo_port: Port = env("MONGO_PORT", 13002, doc="Port of one member of the MongoDB replica set")
    mongo_database: str = env("MONGO_DATABASE", "iexec", doc="Database of core; no other service may use it")

    # --- wallet, pool, chain
    wallet_path: Path = env(
        "IEXEC_CORE_WALLET_PATH",
        Path("./src/main/resources/wallet/encrypted-wallet_scheduler.json"),
        doc="Key store file of the wallet that owns the workerpool and signs authorizations",
        secret_file=True,
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
        doc="Blocks that must follow a block before core reads its deals and events",
    )
    largest_log_range: PositiveInt = env(
        "WORKERPOOL_CORE_MAX_LOGS_BATCH_SIZE",
        1000,
        doc="Largest number of blocks in one search for logs while catching up; reduced when the node refuses it",
    )
    gas_price_cap: Annotated[int, Field(ge=0)] = env(
        "IEXEC_GAS_PRICE_CAP",
        22_000_000_000,
        doc="Wei. A worker whose wallet cannot pay for ten transactions at the current gas price, or at this one if it "
        "is lower, gets no work, except on a sidechain, where gas is free; 0 gives work to every wallet",
    )
    out_of_service_threshold_s: Annotated[DurationSeconds, Field(gt=0)] | None = env(
        "CHAIN_OUTOFSERVICETHRESHOLD",
        None,
        doc="Time without an answer of the node, or with a newest block below a followed one, after which core "
        "assigns no work; unset means IEXEC_CHAIN_HEALTH_POLLING_INTERVAL_IN_BLOCKS times "
        "IEXEC_CHAIN_HEALTH_OUT_OF_SERVICE_THRESHOLD blocks, at least PT5S",
    )
    health_interval_blocks: PositiveInt = env(
        "IEXEC_CHAIN_HEALTH_POLLING_INTERVAL_IN_BLOCKS",
        3,
        doc="Blocks between two health checks of the chain. The node pushes heads, so it only scales the threshold",
    )
    health_failures: PositiveInt = env(
        "IEXEC_CHAIN_HEALTH_OUT_OF_SERVICE_THRESHOLD",
        4,
        doc="Failed health checks after which core is OUT_OF_SERVICE",
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
    chain_adapter_grpc: GrpcTarget | None = env(
        "WORKERPOOL_CORE_CHAIN_ADAPTER_GRPC_TARGET",
        None,
        doc="gRPC address of the chain adapter, host:port or https://host:port; unset means the one derived from its "
        "URL or HTTP port",
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
        doc="URL of the platform registry, which names the SMS of each TEE framework; used for TEE tasks",
    )
    platform_registry_stack: str = env(
        "IEXEC_PLATFORM_REGISTRY_STACK", "", doc="Stack to use in the platform registry"
    )
    platform_registry_label: str = env(
        "IEXEC_PLATFORM_REGISTRY_LABEL",
        "",
        doc="Label (version) of the files to use in the platform registry",
    )

    # --- workers
    required_worker_version: str = env(
        "IEXEC_CORE_REQUIRED_WORKER_VERSION", "", doc="Version that every worker must have; empty allows any"
    )
    whitelist: tuple[EthAddress, ...] = env(
        "IEXEC_WORKERS_WHITELIST",
        (),
        doc="Wallets of workers that may log in, in upper or lower case; empty allows all",
    )
    live_file: Path | None = env(
        "WORKERPOOL_CORE_LIVE_FILE",
        None,
        doc="File with NAME=value lines, read at the start and again on SIGHUP. It replaces the variables "
        "IEXEC_RESULT_REPOSITORY_* and IEXEC_WORKERS_WHITELIST: connected workers get a new address at once, and a "
        "worker removed from the whitelist finishes its current tasks and gets no new ones",
    )
    reveal_timeout_period_ms: PositiveInt = env(
        "REVEAL_TIMEOUT_PERIOD",
        120_000,
        doc="Milliseconds between two reconciliations of every live task with the chain, which find missed events. "
        "Deadlines, the reveal deadline included, take effect when they pass",
    )
    slot_memory_mib: Annotated[int, Field(ge=0)] = env(
        "WORKERPOOL_CORE_SLOT_MEMORY_MIB",
        0,
        doc="MiB of memory that a worker needs for each concurrent task. A worker with less gets fewer tasks than it "
        "has slots; 0 counts slots only",
    )
    error_results: bool = env(
        "WORKERPOOL_CORE_ERROR_RESULTS",
        True,
        doc="Contribute the failure of an app as its result, so that the task ends in minutes and the pool keeps its "
        "stake. False ends such tasks without a result: the requester is refunded at the final deadline",
    )
    tasks_ahead: PositiveInt = env(
        "WORKERPOOL_CORE_TASKS_AHEAD",
        64,
        doc="Tasks of a deal that are created and initialized before a worker is free for them; twice the slots of the "
        "pool when that is more. The rest of a large deal is queued, which costs neither memory nor gas",
    )
    assignment_timeout_s: Annotated[DurationSeconds, Field(ge=1)] = env(
        "WORKERPOOL_CORE_ASSIGNMENT_TIMEOUT",
        "PT10S",
        doc="Time in which a worker must start a task that was sent to it; after it the task goes to another worker, "
        "and the silence counts as a failure",
    )
    max_absence_s: Annotated[DurationSeconds, Field(ge=0)] = env(
        "WORKERPOOL_CORE_MAX_ABSENCE",
        "PT5M",
        doc="Longest time for which a worker that announces its return, for a restart or an upgrade, keeps its tasks; "
        "a longer announcement is shortened",
    )
    newcomer_assignments: Annotated[int, Field(ge=0)] = env(
        "WORKERPOOL_CORE_NEWCOMER_ASSIGNMENTS",
        2,
        doc="Tasks of paid deals that a wallet without a completed paid contribution may compute at once; each "
        "completed one raises its limit by one. 0 disables the limit",
    )
    token_lifetime_s: Annotated[DurationSeconds, Field(gt=0)] = env(
        "WORKERPOOL_CORE_TOKEN_LIFETIME", "PT1H", doc="Lifetime of a worker's bearer token"
    )

    # --- operators and maintenance
    operator_username: str = env(
        "IEXEC_CORE_OPERATOR_USERNAME",
        "",
        doc="User name for the operator's methods (drain, undrain, release) and for signing in on the page, which are "
        "disabled while it is unset",
    )
    operator_password: SecretStr | None = secret(
        "IEXEC_CORE_OPERATOR_PASSWORD",
        None,
        doc="Password for the operator's methods and for signing in on the page",
    )
    actuators: tuple[str, ...] = env(
        "IEXEC_CORE_MANAGEMENT_ACTUATORS",
        ("health", "info"),
        doc="Open endpoints under /actuator, such as prometheus; * opens all",
    )
    logs_purge_rate_days: PositiveInt = env(
        "IEXEC_LOGS_PURGE_RATE_IN_DAYS", 1, doc="Days between two purges of compute logs"
    )
    logs_availability_days: PositiveInt = env(
        "IEXEC_LOGS_AVAILABILITY_PERIOD_IN_DAYS",
        3,
        doc="Days from the final deadline of a task until its compute logs are deleted",
    )

    task_retention_s: Annotated[DurationSeconds, Field(ge=86_400)] | None = env(
        "WORKERPOOL_CORE_TASK_RETENTION",
        None,
        doc="Time from the final deadline of an ended task until it is removed with its replicates and logs, such as "
        "P90D; P1D or more. The numbers of tasks still count it. Unset means that tasks are kept for good",
    )

    @field_validator("config_server_protocol", "chain_adapter_protocol", "result_proxy_protocol")
    @classmethod
    def _web_protocol(cls, value: str) -> str:
        if value not in ("http", "https"):
            raise ValueError("expected http or https")
        return value

    @model_validator(mode="after")
    def _one_address_per_service(self) -> Self:
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

    @model_validator(mode="after")
    def _check_passwords(self) -> Self:
        adapter = urlsplit(self.url_of("chain_adapter")).hostname or ""
        check_password(
            "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD",
            self.chain_adapter_password,
            {"the host of the chain adapter": adapter},
        )
        self.check_cleartext(
            "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD",
            self.chain_adapter_grpc or self.url_of("chain_adapter"),
            "the password for the chain adapter",
        )
        if self.operator_password is not None:
            check_password(
                "IEXEC_CORE_OPERATOR_PASSWORD",
                self.operator_password,
                {
                    "WORKERPOOL_GRPC_BIND_ADDRESS": self.grpc_bind,
                    "WORKERPOOL_HTTP_BIND_ADDRESS": self.http_bind,
                },
            )
        return self

    def url_of(self, service: str) -> str:
        """Return the documented HTTP URL of "config_server", "chain_adapter" or "result_proxy"."""
        url: str | None = getattr(self, f"{service}_url")
        protocol, host, port = (getattr(self, f"{service}_{part}") for part in _SPLIT)
        return url or service_url(protocol, host, port)

    def threshold_s(self, block_time_s: float) -> float:
        """Return the documented out-of-service threshold in seconds."""
        if self.out_of_service_threshold_s is not None:
            return self.out_of_service_threshold_s
        return max(self.health_interval_blocks * self.health_failures * block_time_s, 5.0)

    def actuator_open(self, endpoint: str) -> bool:
        """Return whether an endpoint under /actuator is open."""
        return "*" in self.actuators or endpoint in self.actuators
