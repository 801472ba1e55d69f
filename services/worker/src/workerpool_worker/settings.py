"""The worker's settings: the documented variables of worker 9.x, and the older names of the core's address."""

from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from workerpool_kit.settings.base import DurationSeconds, EthAddress, Port, Settings, Url, env, secret

_LATER = " (accepted, not used yet: enclave tasks are refused with TEE_NOT_SUPPORTED)"
_ZERO_ADDRESSES = frozenset({"0x0", "0x" + "0" * 40})

Positive = Annotated[int, Field(gt=0)]


class WorkerSettings(Settings):
    """What an operator may set. Every field names the environment variable it is read from."""

    own_prefixes: ClassVar[tuple[str, ...]] = ("IEXEC_WORKER_",)

    port: Port = env("IEXEC_WORKER_PORT", 13100, doc="HTTP port: health, metrics, version")
    grpc_port: Port | None = env(
        "WORKERPOOL_GRPC_PORT",
        None,
        doc="gRPC port for health checks and reflection; the HTTP port + 10000 if unset",
    )

    core_url: Url | None = env(
        "IEXEC_CORE_URL", None, doc="Base URL of the scheduler; http://localhost:13000 if nothing is set"
    )
    core_protocol: str = env(
        "IEXEC_CORE_PROTOCOL", "http", doc="Protocol of the scheduler, when IEXEC_CORE_URL is unset"
    )
    core_host: str = env(
        "IEXEC_CORE_HOST", "localhost", doc="Host of the scheduler, when IEXEC_CORE_URL is unset"
    )
    core_port: Port = env("IEXEC_CORE_PORT", 13000, doc="Port of the scheduler, when IEXEC_CORE_URL is unset")
    pool_address: EthAddress = env(
        "POOL_ADDRESS", doc="On-chain address of the workerpool this worker serves"
    )

    name: str = env(
        "IEXEC_WORKER_NAME", "worker", doc="Public name: prefix of container names, name of a folder"
    )
    base_dir: Path = env(
        "IEXEC_WORKER_BASE_DIR",
        Path("/tmp/iexec-worker"),
        doc="Folder for tasks and the journal; the same path on the host and in the worker's container",
    )
    cpu_count: Positive | None = env(
        "IEXEC_WORKER_OVERRIDE_AVAILABLE_CPU_COUNT",
        None,
        doc="Tasks computed at once; all processors but one if unset",
    )
    gpu_enabled: bool = env(
        "IEXEC_WORKER_GPU_ENABLED",
        False,
        doc="Declare a GPU; then one task at a time, whatever the processor count",
    )

    gas_price_multiplier: Annotated[float, Field(ge=0)] = env(
        "IEXEC_GAS_PRICE_MULTIPLIER", 1.3, doc="Transactions pay the network's gas price times this"
    )
    gas_price_cap: Annotated[int, Field(ge=0)] = env(
        "IEXEC_GAS_PRICE_CAP", 22_000_000_000, doc="Highest gas price in wei; 0 on a chain without gas"
    )
    node_address: Url | None = env(
        "IEXEC_WORKER_OVERRIDE_BLOCKCHAIN_NODE_ADDRESS", None, doc="Own blockchain node instead of the pool's"
    )
    wallet_path: Path = env("IEXEC_WORKER_WALLET_PATH", doc="JSON key store of the worker's wallet")
    wallet_password: SecretStr = secret(
        "IEXEC_WORKER_WALLET_PASSWORD", "whatever", doc="Password of the wallet's key store"
    )

    developer_logger: bool = env(
        "IEXEC_DEVELOPER_LOGGER_ENABLED",
        False,
        doc="Whether the end of each app's output goes into the worker's log",
    )
    metrics_window: Positive = env(
        "IEXEC_WORKER_METRICS_WINDOW_SIZE", 1000, doc="Executions that the duration metrics are computed from"
    )

    registry_username_0: str = env("IEXEC_WORKER_DOCKER_REGISTRY_USERNAME_0", "", doc="User at docker.io")
    registry_password_0: SecretStr | None = secret(
        "IEXEC_WORKER_DOCKER_REGISTRY_PASSWORD_0", None, doc="Password at docker.io"
    )
    registry_address_1: str = env(
        "IEXEC_WORKER_DOCKER_REGISTRY_ADDRESS_1", "", doc="Address of a further registry"
    )
    registry_username_1: str = env("IEXEC_WORKER_DOCKER_REGISTRY_USERNAME_1", "", doc="User at that registry")
    registry_password_1: SecretStr | None = secret(
        "IEXEC_WORKER_DOCKER_REGISTRY_PASSWORD_1", None, doc="Password at that registry"
    )
    pull_min_s: DurationSeconds = env(
        "IEXEC_WORKER_DOCKER_IMAGE_MIN_PULL_TIMEOUT", "PT5M", doc="Least time an image pull may take"
    )
    pull_max_s: DurationSeconds = env(
        "IEXEC_WORKER_DOCKER_IMAGE_MAX_PULL_TIMEOUT", "PT30M", doc="Longest time an image pull may take"
    )

    ipfs_gateways: tuple[Url, ...] = env(
        "WORKERPOOL_IPFS_GATEWAYS",
        (
            "https://ipfs-gateway.v8-bellecour.iex.ec",
            "https://gateway.ipfs.io",
            "https://gateway.pinata.cloud",
        ),
        doc="IPFS gateways for datasets, tried in order",
    )
    download_limit_s: DurationSeconds = env(
        "WORKERPOOL_WORKER_DOWNLOAD_TIMEOUT",
        "PT30M",
        doc="Longest time the files of one task may take to download",
    )
    download_limit_bytes: Positive = env(
        "WORKERPOOL_WORKER_DOWNLOAD_MAX_BYTES", 32 << 30, doc="Largest dataset or input file, in bytes"
    )
    startup_limit_s: DurationSeconds = env(
        "WORKERPOOL_WORKER_STARTUP_TIMEOUT",
        "PT30S",
        doc="How long the blockchain node may take to answer at the start",
    )

    docker_network: str = env(
        "IEXEC_WORKER_DOCKER_NETWORK_NAME", "iexec-worker-net", doc=f"Docker network of enclave apps{_LATER}"
    )
    tee_max_heap_gb: Positive = env(
        "IEXEC_WORKER_TEE_COMPUTE_MAX_HEAP_SIZE_GB", 8, doc=f"Largest heap of enclave apps{_LATER}"
    )
    sgx_driver_mode: str = env(
        "IEXEC_WORKER_SGX_DRIVER_MODE", "NONE", doc=f"NONE; LEGACY and NATIVE are refused{_LATER}"
    )
    scone_show_version: bool = env("IEXEC_SCONE_SHOW_VERSION", True, doc=f"Show Scone's version{_LATER}")
    scone_log_level: str = env("IEXEC_SCONE_LOG_LEVEL", "debug", doc=f"Scone's log level{_LATER}")
    scontain_registry: str = env(
        "IEXEC_WORKER_SCONTAIN_REGISTRY_NAME", "registry.scontain.com", doc=f"Scontain registry{_LATER}"
    )
    scontain_username: str = env("IEXEC_WORKER_SCONTAIN_REGISTRY_USERNAME", "", doc=f"User there{_LATER}")
    scontain_password: SecretStr | None = secret(
        "IEXEC_WORKER_SCONTAIN_REGISTRY_PASSWORD", None, doc=f"Password there{_LATER}"
    )
    las_port: Port = env("IEXEC_LAS_PORT", 18766, doc=f"Port of Scone's attestation service{_LATER}")

    @field_validator("pool_address", mode="before")
    @classmethod
    def _a_real_pool(cls, value: object) -> object:
        if value in _ZERO_ADDRESSES:
            raise ValueError("must be the address of your workerpool, not zero")
        return value

    @field_validator("name")
    @classmethod
    def _usable_in_names(cls, value: str) -> str:
        if (
            not value
            or len(value) > 60
            or not all(char.isascii() and (char.isalnum() or char in "_.-") for char in value)
        ):
            raise ValueError(
                "letters, digits, '_', '.' and '-' only, at most 60: it names containers and a folder"
            )
        if not value[0].isalnum():
            raise ValueError("must begin with a letter or a digit: it names containers and a folder")
        return value

    @field_validator("sgx_driver_mode")
    @classmethod
    def _no_enclaves_yet(cls, value: str) -> str:
        if value != "NONE":
            raise ValueError("only NONE works with this version of the worker")
        return value

    @model_validator(mode="after")
    def _credentials_are_complete(self) -> Self:
        for number, user, word in (
            (0, self.registry_username_0, self.registry_password_0),
            (1, self.registry_username_1, self.registry_password_1),
        ):
            if bool(user) != (word is not None):
                prefix = "IEXEC_WORKER_DOCKER_REGISTRY_"
                raise ValueError(
                    f"{prefix}PASSWORD_{number}: set it together with {prefix}USERNAME_{number}, or neither"
                )
        if self.registry_username_1 and not self.registry_address_1:
            raise ValueError("IEXEC_WORKER_DOCKER_REGISTRY_ADDRESS_1: not set, but a user for it is")
        if self.core_url and {"core_protocol", "core_host", "core_port"} & self.model_fields_set:
            raise ValueError("IEXEC_CORE_URL: set either it, or IEXEC_CORE_PROTOCOL/HOST/PORT, not both")
        return self

    @property
    def core(self) -> str:
        """Base URL of the scheduler."""
        return self.core_url or f"{self.core_protocol}://{self.core_host}:{self.core_port}"

    @property
    def registries(self) -> dict[str, tuple[str, str]]:
        """User and password by registry address."""
        found: dict[str, tuple[str, str]] = {}
        if self.registry_username_0 and self.registry_password_0:
            found["docker.io"] = (self.registry_username_0, self.registry_password_0.get_secret_value())
        if self.registry_username_1 and self.registry_password_1:
            found[self.registry_address_1] = (
                self.registry_username_1,
                self.registry_password_1.get_secret_value(),
            )
        return found

    @property
    def folder(self) -> Path:
        """The worker's own folder: tasks and journal."""
        return self.base_dir.absolute() / self.name
