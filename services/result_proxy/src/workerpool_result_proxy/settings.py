"""Settings of the result proxy, under the documented variable names of the iExec stack."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from workerpool_kit.settings.base import MongoSettings, Settings, env
from workerpool_kit.settings.node import NodeSettings
from workerpool_kit.settings.types import DurationSeconds, EthAddress, Port, Url
from workerpool_poco.protocol.authorization import audience_of
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES, ArchiveRules

Count = Annotated[int, Field(gt=0)]
PublicUrl = Annotated[Url, AfterValidator(audience_of)]


class ResultProxySettings(Settings, MongoSettings, NodeSettings):
    """All settings of the result proxy."""

    own_prefixes: ClassVar[tuple[str, ...]] = ("IEXEC_RESULT_PROXY_",)
    ignored_variables: ClassVar[Mapping[str, str]] = {
        "IEXEC_IS_SIDECHAIN": "the result proxy sends no transaction; set it on the chain adapter",
        "IEXEC_PUBLIC_CHAIN_ADDRESS": "the result proxy uses the node of IEXEC_BLOCKCHAIN_NODE_ADDRESS",
        "IEXEC_PRIVATE_CHAIN_ADDRESS": "the result proxy uses the node of IEXEC_BLOCKCHAIN_NODE_ADDRESS",
    }

    http_port: Port = env("IEXEC_RESULT_PROXY_PORT", 13200, doc="HTTP port: results, health, metrics")
    grpc_port: Port | None = env(
        "WORKERPOOL_GRPC_PORT", None, doc="gRPC port; unset means the HTTP port + 10000"
    )

    public_url: PublicUrl | None = env(
        "IEXEC_RESULT_PROXY_PUBLIC_URL",
        None,
        doc="Base URL of this proxy that the scheduler sends to workers (IEXEC_RESULT_REPOSITORY_URL); a worker signs "
        "only for this URL; unset means http://localhost and the HTTP port",
    )

    mongo_host: str = env(
        "IEXEC_RESULT_PROXY_MONGO_HOST",
        "localhost",
        doc="Host of a MongoDB replica set member",
        aliases=("MONGO_HOST",),
    )
    mongo_port: Port = env(
        "IEXEC_RESULT_PROXY_MONGO_PORT", 13202, doc="Port of that member", aliases=("MONGO_PORT",)
    )
    mongo_database: str = env("MONGO_DATABASE", "result_proxy", doc="Name of this service's own database")

    ipfs_url: Url | None = env(
        "IEXEC_IPFS_URL",
        None,
        doc="RPC API of a Kubo node, such as http://127.0.0.1:5001; new results are stored there, and in MongoDB "
        "(GridFS) if unset",
    )
    ipfs_host: str | None = env(
        "IEXEC_IPFS_HOST", None, doc="Host of that node, the older form of IEXEC_IPFS_URL"
    )
    ipfs_port: Port = env("IEXEC_IPFS_PORT", 5001, doc="Port of the node that IEXEC_IPFS_HOST names")

    chain_id: int = env("IEXEC_CHAIN_ID", doc="Id of the blockchain")
    node_url: Url = env("IEXEC_BLOCKCHAIN_NODE_ADDRESS", doc="HTTP URL of a blockchain node")
    hub_address: EthAddress = env("IEXEC_HUB_ADDRESS", doc="Address of the PoCo hub contract")
    block_time: DurationSeconds = env("IEXEC_BLOCK_TIME", "PT5S", doc="Time between two blocks")
    pool_address: EthAddress | None = env(
        "POOL_ADDRESS", None, doc="Serve only the tasks of this workerpool; unset means any workerpool"
    )

    max_size: Count = env(
        "IEXEC_RESULT_PROXY_MAX_SIZE",
        DEFAULT_RULES.max_archive_bytes,
        doc="Largest accepted archive, in bytes; workers read this and the next three limits",
    )
    max_unpacked_size: Count = env(
        "IEXEC_RESULT_PROXY_MAX_UNPACKED_SIZE",
        DEFAULT_RULES.max_unpacked_bytes,
        doc="Largest accepted content of an archive once unpacked, in bytes",
    )
    max_entries: Annotated[int, Field(gt=0, le=50_000)] = env(
        "IEXEC_RESULT_PROXY_MAX_ENTRIES",
        DEFAULT_RULES.max_entries,
        doc="Most files and folders in an archive",
    )
    max_depth: Annotated[int, Field(gt=0, le=256)] = env(
        "IEXEC_RESULT_PROXY_MAX_DEPTH",
        DEFAULT_RULES.max_depth,
        doc="Deepest nesting of folders in an archive",
    )
    max_uploads: Count = env(
        "IEXEC_RESULT_PROXY_MAX_UPLOADS", 16, doc="Uploads received at the same time; others wait"
    )
    upload_wait: DurationSeconds = env(
        "IEXEC_RESULT_PROXY_UPLOAD_WAIT", "PT30S", doc="How long such an upload waits before it is refused"
    )
    upload_idle: DurationSeconds = env(
        "IEXEC_RESULT_PROXY_UPLOAD_IDLE_TIMEOUT",
        "PT30S",
        doc="How long an upload may be silent before it is refused",
    )
    upload_keep: DurationSeconds = env(
        "IEXEC_RESULT_PROXY_UPLOAD_KEEP",
        "PT10M",
        doc="How long a partial upload is kept for its continuation",
    )
    min_free: Annotated[int, Field(ge=0)] = env(
        "IEXEC_RESULT_PROXY_MIN_FREE",
        256 << 20,
        doc="Bytes that stay free on the disks of temporary files and of MongoDB; an upload that would use them is "
        "refused",
    )
    retention: DurationSeconds | None = env(
        "IEXEC_RESULT_PROXY_RETENTION",
        None,
        doc="How long results are kept, such as P90D; unset means for as long as the store exists",
    )
    token_lifetime: DurationSeconds = env(
        "IEXEC_RESULT_PROXY_TOKEN_LIFETIME", "P1D", doc="How long a token is valid after it was issued"
    )
    temp_dir: Path | None = env(
        "IEXEC_RESULT_PROXY_TEMP_DIR",
        None,
        doc="Folder for archives while they are checked; needs room for MAX_UPLOADS archives; "
        "workerpool-result-proxy in the system's folder for temporary files if unset",
    )

    @property
    def upload_folder(self) -> Path:
        """The folder for archives while they are checked."""
        return self.temp_dir or Path(tempfile.gettempdir()) / "workerpool-result-proxy"

    @property
    def ipfs_api(self) -> str | None:
        """The RPC API of the IPFS node; None without one."""
        if self.ipfs_url is not None:
            return str(self.ipfs_url)
        if self.ipfs_host is None:
            return None
        host = f"[{self.ipfs_host}]" if ":" in self.ipfs_host else self.ipfs_host
        return f"http://{host}:{self.ipfs_port}"

    @property
    def archive_rules(self) -> ArchiveRules:
        """The rules of archives."""
        return ArchiveRules(
            max_archive_bytes=self.max_size,
            max_unpacked_bytes=self.max_unpacked_size,
            max_entries=self.max_entries,
            max_depth=self.max_depth,
        )

    @property
    def audience(self) -> str:
        """The normalized URL for which workers sign."""
        return audience_of(self.public_url or f"http://localhost:{self.http_port}")
