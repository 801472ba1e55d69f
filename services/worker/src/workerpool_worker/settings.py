"""The worker's settings: the documented variables of worker 9.x and the split form of the scheduler's address."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from workerpool_kit.settings.base import Settings, env, secret
from workerpool_kit.settings.types import DurationSeconds, EthAddress, Port, Url

_NO_ENCLAVES = "this worker runs no enclaves and refuses their tasks with TEE_NOT_SUPPORTED; remove it"
_IGNORED = {
    "IEXEC_WORKER_DOCKER_NETWORK_NAME": f"only enclave apps join it: {_NO_ENCLAVES}",
    "IEXEC_WORKER_TEE_COMPUTE_MAX_HEAP_SIZE_GB": _NO_ENCLAVES,
    "IEXEC_SCONE_SHOW_VERSION": _NO_ENCLAVES,
    "IEXEC_SCONE_LOG_LEVEL": _NO_ENCLAVES,
    "IEXEC_WORKER_SCONTAIN_REGISTRY_NAME": _NO_ENCLAVES,
    "IEXEC_WORKER_SCONTAIN_REGISTRY_USERNAME": _NO_ENCLAVES,
    "IEXEC_WORKER_SCONTAIN_REGISTRY_PASSWORD": _NO_ENCLAVES,
    "IEXEC_WORKER_SCONTAIN_REGISTRY_PASSWORD_FILE": _NO_ENCLAVES,
    "IEXEC_LAS_PORT": _NO_ENCLAVES,
}
"""Documented variables without effect on this version of the worker, each with the reason and its successor."""
_UNUSED = "; no effect on this version: enclave tasks are refused"
_ZERO_ADDRESSES = frozenset({"0x0", "0x" + "0" * 40})

Positive = Annotated[int, Field(gt=0)]


class WorkerSettings(Settings):
    """Settings of one worker. Each field names its environment variable."""

    own_prefixes: ClassVar[tuple[str, ...]] = ("IEXEC_WORKER_",)
    ignored_variables: ClassVar[Mapping[str, str]] = _IGNORED

    port: Port = env("IEXEC_WORKER_PORT", 13100, doc="Port of the HTTP side: health, metrics, version")
    grpc_port: Port | None = env(
        "WORKERPOOL_GRPC_PORT",
        None,
        doc="Port of the gRPC side: health checks, reflection; unset means the HTTP port + 10000",
    )

    core_url: Url | None = env(
        "IEXEC_CORE_URL", None, doc="Base URL of the scheduler; unset means the three variables below"
    )
    core_protocol: str = env(
        "IEXEC_CORE_PROTOCOL", "http", doc="Protocol of the scheduler if IEXEC_CORE_URL is unset"
    )
    core_host: str = env(
        "IEXEC_CORE_HOST", "localhost", doc="Host of the scheduler if IEXEC_CORE_URL is unset"
    )
    core_port: Port = env("IEXEC_CORE_PORT", 13000, doc="Port of the scheduler if IEXEC_CORE_URL is unset")
    pool_address: EthAddress = env(
        "POOL_ADDRESS", doc="On-chain address of the workerpool this worker serves"
    )

    name: str = env(
        "IEXEC_WORKER_NAME",
        "worker",
        doc="Public name of the worker; prefix of its containers and name of its folder",
    )
    base_dir: Path = env(
        "IEXEC_WORKER_BASE_DIR",
        Path("/tmp/iexec-worker"),
        doc="Folder of tasks and journal; it must have the same path on the host and in the worker's container",
    )
    cpu_count: Positive | None = env(
        "IEXEC_WORKER_OVERRIDE_AVAILABLE_CPU_COUNT",
        None,
        doc="Number of tasks computed at once; unset means all processors but one",
    )
    gpu_enabled: bool = env(
        "IEXEC_WORKER_GPU_ENABLED",
        False,
        doc="Declare a GPU; the worker then computes one task at a time",
    )

    gas_price_multiplier: Annotated[float, Field(ge=0)] = env(
        "IEXEC_GAS_PRICE_MULTIPLIER",
        1.3,
        doc="Gas price of transactions as a multiple of the network's price; 0 on a chain without gas",
    )
    gas_price_cap: Annotated[int, Field(ge=0)] = env(
        "IEXEC_GAS_PRICE_CAP", 22_000_000_000, doc="Highest gas price in wei; 0 on a chain without gas"
    )
    node_address: Url | None = env(
        "IEXEC_WORKER_OVERRIDE_BLOCKCHAIN_NODE_ADDRESS",
        None,
        doc="Blockchain node to use instead of the pool's",
    )
    wallet_path: Path = env(
        "IEXEC_WORKER_WALLET_PATH",
        Path("./src/main/resources/wallet/encrypted-wallet_worker1.json"),
        doc="Key store file of the worker's wallet",
    )
    wallet_password: SecretStr = secret(
        "IEXEC_WORKER_WALLET_PASSWORD", "whatever", doc="Password of the key store file"
    )

    developer_logger: bool = env(
        "IEXEC_DEVELOPER_LOGGER_ENABLED",
        False,
        doc="Write the end of each app's output to the worker's log",
    )
    metrics_window: Positive = env(
        "IEXEC_WORKER_METRICS_WINDOW_SIZE", 1000, doc="Number of executions in the duration metrics"
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
        "IEXEC_WORKER_DOCKER_IMAGE_MIN_PULL_TIMEOUT",
        "PT5M",
        doc="Lower bound of the time limit of an image pull",
    )
    pull_max_s: DurationSeconds = env(
        "IEXEC_WORKER_DOCKER_IMAGE_MAX_PULL_TIMEOUT",
        "PT30M",
        doc="Upper bound of the time limit of an image pull",
    )

    ipfs_gateways: tuple[Url, ...] = env(
        "WORKERPOOL_IPFS_GATEWAYS",
        (
            "https://ipfs-gateway.v8-bellecour.iex.ec",
            "https://gateway.ipfs.io",
            "https://gateway.pinata.cloud",
        ),
        doc="IPFS gateways for datasets, in the order of attempts",
    )
    download_limit_s: DurationSeconds = env(
        "WORKERPOOL_WORKER_DOWNLOAD_TIMEOUT",
        "PT30M",
        doc="Time limit for all downloads of one task",
    )
    download_limit_bytes: Positive = env(
        "WORKERPOOL_WORKER_DOWNLOAD_MAX_BYTES", 32 << 30, doc="Largest dataset or input file in bytes"
    )
    startup_limit_s: DurationSeconds = env(
        "WORKERPOOL_WORKER_STARTUP_TIMEOUT",
        "PT30S",
        doc="Time limit for the blockchain node to answer at the start",
    )

    docker_network: str = env(
        "IEXEC_WORKER_DOCKER_NETWORK_NAME",
        "iexec-worker-net",
        doc=f"Docker network of enclave apps{_UNUSED}",
    )
    tee_max_heap_gb: Positive = env(
        "IEXEC_WORKER_TEE_COMPUTE_MAX_HEAP_SIZE_GB", 8, doc=f"Largest heap of enclave apps{_UNUSED}"
    )
    sgx_driver_mode: str = env(
        "IEXEC_WORKER_SGX_DRIVER_MODE",
        "NONE",
        doc="Only NONE: this version runs no enclaves, so LEGACY and NATIVE are refused",
    )
    scone_show_version: bool = env("IEXEC_SCONE_SHOW_VERSION", True, doc=f"Show Scone's version{_UNUSED}")
    scone_log_level: str = env("IEXEC_SCONE_LOG_LEVEL", "debug", doc=f"Scone's log level{_UNUSED}")
    scontain_registry: str = env(
        "IEXEC_WORKER_SCONTAIN_REGISTRY_NAME",
        "registry.scontain.com:5050",
        doc=f"Scontain registry{_UNUSED}",
    )
    scontain_username: str = env(
        "IEXEC_WORKER_SCONTAIN_REGISTRY_USERNAME", "", doc=f"User at the Scontain registry{_UNUSED}"
    )
    scontain_password: SecretStr | None = secret(
        "IEXEC_WORKER_SCONTAIN_REGISTRY_PASSWORD", None, doc=f"Password at the Scontain registry{_UNUSED}"
    )
    las_port: Port = env("IEXEC_LAS_PORT", 18766, doc=f"Port of Scone's attestation service{_UNUSED}")

    @field_validator("pool_address", mode="before")
    @classmethod
    def _pool_is_not_zero(cls, value: object) -> object:
        if value in _ZERO_ADDRESSES:
            raise ValueError("must be the address of a workerpool, not zero")
        return value

    @field_validator("name")
    @classmethod
    def _name_is_valid(cls, value: str) -> str:
        if (
            not value
            or len(value) > 60
            or not all(char.isascii() and (char.isalnum() or char in "_.-") for char in value)
        ):
            raise ValueError(
                "letters, digits, '_', '.' and '-' only, at most 60: it names containers and a folder"
            )
        if not value[0].isalnum():
            raise ValueError("must start with a letter or a digit: it names containers and a folder")
        return value

    @field_validator("sgx_driver_mode")
    @classmethod
    def _enclaves_are_off(cls, value: str) -> str:
        if value != "NONE":
            raise ValueError("set NONE: this version of the worker runs no enclaves")
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
                    f"{prefix}PASSWORD_{number}: set both it and {prefix}USERNAME_{number}, or neither"
                )
        if self.registry_username_1 and not self.registry_address_1:
            raise ValueError(
                "IEXEC_WORKER_DOCKER_REGISTRY_ADDRESS_1: set it, because IEXEC_WORKER_DOCKER_REGISTRY_USERNAME_1 "
                "is set"
            )
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
        """The worker's own folder with its tasks and its journal."""
        return self.base_dir.absolute() / self.name
