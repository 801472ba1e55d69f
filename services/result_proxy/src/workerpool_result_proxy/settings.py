"""Settings of the result proxy, under the variable names that the iExec stack documents."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field
from workerpool_kit.settings.base import MongoSettings, Settings, env
from workerpool_kit.settings.types import DurationSeconds, EthAddress, Port, Url

GIB = 1 << 30
Count = Annotated[int, Field(gt=0)]


class ResultProxySettings(Settings, MongoSettings):
    """All settings of the result proxy."""

    own_prefixes: ClassVar[tuple[str, ...]] = ("IEXEC_RESULT_PROXY_",)
    ignored_variables: ClassVar[Mapping[str, str]] = {
        "IEXEC_IPFS_URL": "archives are stored in MongoDB (GridFS); set MONGO_URI",
        "IEXEC_IPFS_HOST": "archives are stored in MongoDB (GridFS); set MONGO_URI",
        "IEXEC_IPFS_PORT": "archives are stored in MongoDB (GridFS); set MONGO_URI",
        "IEXEC_IS_SIDECHAIN": "the result proxy sends no transaction; set it on the chain adapter",
        "IEXEC_PUBLIC_CHAIN_ADDRESS": "the result proxy uses the node of IEXEC_BLOCKCHAIN_NODE_ADDRESS",
        "IEXEC_PRIVATE_CHAIN_ADDRESS": "the result proxy uses the node of IEXEC_BLOCKCHAIN_NODE_ADDRESS",
    }

    http_port: Port = env("IEXEC_RESULT_PROXY_PORT", 13200, doc="HTTP port: results, health, metrics")
    grpc_port: Port | None = env(
        "WORKERPOOL_GRPC_PORT", None, doc="gRPC port; unset means the HTTP port + 10000"
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

    chain_id: int = env("IEXEC_CHAIN_ID", doc="Id of the blockchain")
    node_url: Url = env("IEXEC_BLOCKCHAIN_NODE_ADDRESS", doc="HTTP URL of a blockchain node")
    hub_address: EthAddress = env("IEXEC_HUB_ADDRESS", doc="Address of the PoCo hub contract")
    block_time: DurationSeconds = env("IEXEC_BLOCK_TIME", "PT5S", doc="Time between two blocks")
    pool_address: EthAddress | None = env(
        "POOL_ADDRESS", None, doc="Serve only the tasks of this workerpool; unset means any workerpool"
    )

    max_size: Count = env("IEXEC_RESULT_PROXY_MAX_SIZE", GIB, doc="Largest accepted archive, in bytes")
    max_unpacked_size: Count = env(
        "IEXEC_RESULT_PROXY_MAX_UNPACKED_SIZE",
        4 * GIB,
        doc="Largest accepted content of an archive once unpacked, in bytes",
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
    token_lifetime: DurationSeconds = env(
        "IEXEC_RESULT_PROXY_TOKEN_LIFETIME", "P1D", doc="How long a token is valid after it was issued"
    )
    temp_dir: Path | None = env(
        "IEXEC_RESULT_PROXY_TEMP_DIR",
        None,
        doc="Folder for archives while they are checked; needs room for MAX_UPLOADS archives, packed and unpacked; "
        "workerpool-result-proxy in the system's folder for temporary files if unset",
    )

    @property
    def upload_folder(self) -> Path:
        """The folder for archives while they are checked."""
        return self.temp_dir or Path(tempfile.gettempdir()) / "workerpool-result-proxy"
