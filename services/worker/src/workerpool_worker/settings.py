"""The worker's settings: the documented variables of worker 9.x and the split form of the scheduler's address."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from workerpool_kit.settings.base import THIS_HOST, Settings, env, secret
from workerpool_kit.settings.node import SenderSettings
from workerpool_kit.settings.types import BindAddress, DurationSeconds, EthAddress, GrpcTarget, Port, Url
from workerpool_kit.targets import service_url

from workerpool_worker.container_settings import ContainerSettings
from workerpool_worker.domain.containers.app_network import parse_networks
from workerpool_worker.domain.fetching.addresses import AllowedHosts
from workerpool_worker.domain.fetching.limits import DownloadLimits
from workerpool_worker.domain.fetching.urls import parse_url
from workerpool_worker.image_settings import ImageSettings

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


def _without_separators(value: object) -> object:
    """Return a number in the spelling of the documentation, `1,000`, without its separators."""
    return re.sub(r"(?<=\d),(?=\d{3}\b)", "", value) if isinstance(value, str) else value


Positive = Annotated[int, Field(gt=0)]
Count = Annotated[int, BeforeValidator(_without_separators), Field(gt=0)]
Timeout = Annotated[DurationSeconds, Field(gt=0)]


class WorkerSettings(Settings, SenderSettings, ImageSettings, ContainerSettings):
    """Settings of one worker. Each field names its environment variable."""

    own_prefixes: ClassVar[tuple[str, ...]] = ("IEXEC_WORKER_",)
    ignored_variables: ClassVar[Mapping[str, str]] = _IGNORED

    port: Port = env("IEXEC_WORKER_PORT", 13100, doc="Port of the HTTP side: health, metrics, version")
    grpc_port: Port | None = env(
        "WORKERPOOL_GRPC_PORT",
        None,
        doc="Port of the gRPC side: health checks, reflection; unset means the HTTP port + 10000",
    )

    grpc_bind: BindAddress = env(
        "WORKERPOOL_GRPC_BIND_ADDRESS",
        THIS_HOST,
        doc="Address of this host that the gRPC port listens on, loopback by default: it serves diagnostics",
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
    core_grpc: GrpcTarget | None = env(
        "WORKERPOOL_WORKER_CORE_GRPC_TARGET",
        None,
        doc="gRPC address of the scheduler, host:port or https://host:port; unset means the one in its URL, or "
        "the one that its HTTP port announces",
    )
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
        secret_file=True,
    )
    wallet_password: SecretStr = secret(
        "IEXEC_WORKER_WALLET_PASSWORD", "whatever", doc="Password of the key store file"
    )

    developer_logger: bool = env(
        "IEXEC_DEVELOPER_LOGGER_ENABLED",
        False,
        doc="Write the end of each app's output to the worker's log",
    )
    metrics_window: Count = env(
        "IEXEC_WORKER_METRICS_WINDOW_SIZE", 1000, doc="Number of executions in the duration metrics"
    )

    ipfs_gateways: tuple[Url, ...] = env(
        "WORKERPOOL_IPFS_GATEWAYS",
        (
            "https://ipfs-gateway.v8-bellecour.iex.ec",
            "https://gateway.ipfs.io",
            "https://gateway.pinata.cloud",
        ),
        doc="IPFS gateways for datasets and input files, in the order of attempts; one that failed is tried last for "
        "30 s to 15 min",
    )
    download_limit_s: DurationSeconds = env(
        "WORKERPOOL_WORKER_DOWNLOAD_TIMEOUT",
        "PT30M",
        doc="Upper bound of the time limit for all downloads of one task; tasks of short categories get less, from "
        "5 minutes",
    )
    download_connect_limit_s: Timeout = env(
        "WORKERPOOL_WORKER_DOWNLOAD_CONNECT_TIMEOUT",
        "PT10S",
        doc="Time limit for a file server to accept a connection",
    )
    download_answer_limit_s: Timeout = env(
        "WORKERPOOL_WORKER_DOWNLOAD_ANSWER_TIMEOUT",
        "PT1M",
        doc="Time limit from the request of a file to its headers, redirects included",
    )
    download_min_rate: Annotated[int, Field(ge=0)] = env(
        "WORKERPOOL_WORKER_DOWNLOAD_MIN_RATE",
        1_024,
        doc="Lowest rate of a download in bytes per second, averaged over 30 s; 0 means none",
    )
    download_limit_bytes: Positive = env(
        "WORKERPOOL_WORKER_DOWNLOAD_MAX_BYTES", 32 << 30, doc="Largest dataset or input file in bytes"
    )
    post_compute_limit_s: DurationSeconds = env(
        "WORKERPOOL_WORKER_POST_COMPUTE_TIMEOUT",
        "PT10M",
        doc="Time limit for the archive and the digest of an app's output",
    )
    download_task_limit_bytes: Positive = env(
        "WORKERPOOL_WORKER_DOWNLOAD_MAX_TASK_BYTES",
        64 << 30,
        doc="Most bytes of dataset and input files of one task",
    )
    download_max_files: Annotated[int, Field(ge=0)] = env(
        "WORKERPOOL_WORKER_DOWNLOAD_MAX_FILES", 256, doc="Most input files of one task"
    )
    download_allowed_hosts: tuple[str, ...] = env(
        "WORKERPOOL_WORKER_DOWNLOAD_ALLOWED_HOSTS",
        (),
        doc="Networks (10.1.0.0/16) and host names (files.example.com, or .example.com for all names below it) that "
        "input files, datasets and images may come from although they are not public; all other private, loopback and "
        "link-local addresses and the worker's own are refused",
    )
    download_reference_urls: tuple[Url, ...] = env(
        "WORKERPOOL_WORKER_DOWNLOAD_REFERENCE_URLS",
        (),
        doc="Servers that distinguish an outage of this host's DNS, proxy, certificates or network from one of a file "
        "server: if none of them answers, the host is at fault; unset means the IPFS gateways",
    )
    return_within_s: Annotated[DurationSeconds, Field(le=86_400)] = env(
        "WORKERPOOL_WORKER_RETURN_WITHIN",
        "PT1M",
        doc="What SIGTERM means: the time within which the worker is back. Until then its apps keep running and the "
        "scheduler keeps its tasks: a minute for a restart, more for an upgrade. PT0S means that it leaves for good: "
        "uncontributed tasks go to other workers at once (the default of poolworker run)",
    )
    stop_finish_s: DurationSeconds = env(
        "WORKERPOOL_WORKER_STOP_TIMEOUT",
        "PT5S",
        doc="Time that transactions and uploads under way get to finish when the worker leaves for good; add 10 s for "
        "what kills the process later, such as docker stop --time or TimeoutStopSec",
    )
    startup_limit_s: DurationSeconds = env(
        "WORKERPOOL_WORKER_STARTUP_TIMEOUT",
        "PT30S",
        doc="Time limit for the blockchain node to answer at the start",
    )

    app_network: str = env(
        "WORKERPOOL_WORKER_APP_NETWORK",
        "isolated",
        doc="Network of apps: isolated (the internet, but not this host nor its networks), none, or the name of an "
        "existing Docker network such as bridge, which lets apps reach what that network reaches",
    )
    app_allowed_networks: tuple[str, ...] = env(
        "WORKERPOOL_WORKER_APP_ALLOWED_NETWORKS",
        (),
        doc="Private IPv4 networks that apps in the isolated network may reach, such as 10.1.0.0/16; the host itself "
        "stays closed",
    )
    network_probe_image: str = env(
        "WORKERPOOL_WORKER_NETWORK_PROBE_IMAGE",
        "",
        doc="Image with sh, nc and timeout, such as busybox, that proves the isolation at the start; needed where "
        "the worker cannot set firewall rules itself: without root, or with an engine on another host",
    )
    app_disk_bytes: Annotated[int, Field(ge=1 << 20)] = env(
        "WORKERPOOL_WORKER_APP_DISK_BYTES",
        10 << 30,
        doc="Disk space of one app in bytes: it holds for /iexec_out, and again for all other paths together; an app "
        "that reaches it is killed with APP_DISK_LIMIT_EXCEEDED. The same limit holds for one file per 16 KiB",
    )
    disk_floor_bytes: Annotated[int, Field(ge=0)] = env(
        "WORKERPOOL_WORKER_DISK_FLOOR_BYTES",
        2 << 30,
        doc="Free disk space in bytes that downloads and apps leave on the host: below it no app starts, and the app "
        "that holds the most is killed and its task given to another worker",
    )
    memory_floor_bytes: Annotated[int, Field(ge=0)] = env(
        "WORKERPOOL_WORKER_MEMORY_FLOOR_BYTES",
        128 << 20,
        doc="Memory in bytes that must be available on the host: below it the worker takes no new task",
    )
    app_output_rate: Annotated[int, Field(ge=0)] = env(
        "WORKERPOOL_WORKER_APP_OUTPUT_RATE",
        4 << 20,
        doc="Bytes per second that one app may print after its first 32 MiB, as the engine's log counts them: 70 more "
        "for each line; a faster app is paused in between; 0 means no limit",
    )
    slot_memory_mib: Annotated[int, Field(ge=0)] = env(
        "WORKERPOOL_WORKER_SLOT_MEMORY_MIB",
        0,
        doc="Memory of one app in MiB, shared memory included; 0 means 90 % of the host's memory divided by the slots",
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

    @field_validator("app_network")
    @classmethod
    def _app_network_is_separate(cls, value: str) -> str:
        if not value or value == "host" or value.startswith("container:"):
            raise ValueError(
                "set isolated, none, or the name of a Docker network: apps never share the host's own network"
            )
        return value

    @field_validator("app_allowed_networks")
    @classmethod
    def _allowed_networks_are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_networks(value)
        return value

    @field_validator("ipfs_gateways")
    @classmethod
    def _gateways_are_readable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for gateway in value:
            parse_url(gateway)
        return value

    @field_validator("download_allowed_hosts")
    @classmethod
    def _allowed_hosts_are_readable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        AllowedHosts.parse(value)
        return value

    @field_validator("sgx_driver_mode")
    @classmethod
    def _enclaves_are_off(cls, value: str) -> str:
        if value != "NONE":
            raise ValueError("set NONE: this version of the worker runs no enclaves")
        return value

    @model_validator(mode="after")
    def _core_is_reachable_safely(self) -> Self:
        if self.core_url and {"core_protocol", "core_host", "core_port"} & self.model_fields_set:
            raise ValueError("IEXEC_CORE_URL: set either it, or IEXEC_CORE_PROTOCOL/HOST/PORT, not both")
        self.check_cleartext("IEXEC_CORE_URL", self.core_grpc or self.core, "this worker's token")
        return self

    @property
    def core(self) -> str:
        """Base URL of the scheduler."""
        return self.core_url or service_url(self.core_protocol, self.core_host, self.core_port)

    @property
    def downloads(self) -> DownloadLimits:
        """Limits of the downloads of dataset and input files."""
        return DownloadLimits(
            max_file_bytes=self.download_limit_bytes,
            max_task_bytes=self.download_task_limit_bytes,
            max_files=self.download_max_files,
            total_s=self.download_limit_s,
            connect_s=self.download_connect_limit_s,
            answer_s=self.download_answer_limit_s,
            min_bytes_per_s=self.download_min_rate,
            free_disk_bytes=self.disk_floor_bytes,
            allowed=AllowedHosts.parse(self.download_allowed_hosts),
        )

    @property
    def folder(self) -> Path:
        """The worker's own folder with its tasks and its journal."""
        return self.base_dir.absolute() / self.name
