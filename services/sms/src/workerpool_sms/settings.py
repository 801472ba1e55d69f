"""Settings of the SMS, under the documented variable names of the iExec stack."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr
from workerpool_kit.settings.base import MongoSettings, Settings, env, secret
from workerpool_kit.settings.node import NodeSettings
from workerpool_kit.settings.types import EthAddress, Port, Url
from workerpool_poco.protocol.authorization import audience_of

from workerpool_sms.domain.frameworks import Framework
from workerpool_sms.domain.limits import SecretLimits

PublicUrl = Annotated[Url, AfterValidator(audience_of)]
_ELSEWHERE = "the SMS sends no transaction; set it on the chain adapter"


class SmsSettings(Settings, MongoSettings, NodeSettings):
    """All settings of the SMS."""

    own_prefixes: ClassVar[tuple[str, ...]] = ("IEXEC_SMS_", "WORKERPOOL_SMS_")
    ignored_variables: ClassVar[Mapping[str, str]] = {
        "IEXEC_IS_SIDECHAIN": _ELSEWHERE,
        "IEXEC_GAS_PRICE_MULTIPLIER": _ELSEWHERE,
        "IEXEC_GAS_PRICE_CAP": _ELSEWHERE,
        "IEXEC_SMS_H2_URL": "secrets are stored in MongoDB; set MONGO_URI",
    }

    http_port: Port = env("IEXEC_SMS_PORT", 13300, doc="HTTP port: secrets, TEE, admin, health, metrics")
    grpc_port: Port | None = env(
        "WORKERPOOL_GRPC_PORT", None, doc="gRPC port; unset means the HTTP port + 10000"
    )
    public_url: PublicUrl | None = env(
        "IEXEC_SMS_PUBLIC_URL",
        None,
        doc="Base URL of this SMS in the platform registry; a worker signs only for this URL; unset means "
        "http://localhost and the HTTP port",
    )

    mongo_host: str = env(
        "IEXEC_SMS_MONGO_HOST",
        "localhost",
        doc="Host of a MongoDB replica set member",
        aliases=("MONGO_HOST",),
    )
    mongo_port: Port = env("IEXEC_SMS_MONGO_PORT", 13302, doc="Port of that member", aliases=("MONGO_PORT",))
    mongo_database: str = env("MONGO_DATABASE", "sms", doc="Name of this service's own database")

    chain_id: int = env("IEXEC_CHAIN_ID", doc="Id of the blockchain")
    node_url: Url = env(
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS",
        doc="HTTP URL of a blockchain node",
        aliases=("IEXEC_SMS_BLOCKCHAIN_NODE_ADDRESS",),
    )
    hub_address: EthAddress = env("IEXEC_HUB_ADDRESS", doc="Address of the PoCo hub contract")

    key_file: Path = env(
        "IEXEC_SMS_STORAGE_ENCRYPTION_AES_KEY_PATH",
        "/data/sms-aes.key",
        doc="File of the keys that encrypt the stored secrets; created with mode 0600 if it is missing and nothing is "
        "stored yet. Without it the secrets are lost: back it up",
        secret_file=True,
    )
    framework: Framework = env(
        "WORKERPOOL_SMS_TEE_FRAMEWORK",
        "tdx",
        doc="The TEE framework that this SMS serves: scone, gramine or tdx",
        aliases=("SPRING_PROFILES_ACTIVE",),
    )
    tee_properties: Path | None = env(
        "WORKERPOOL_SMS_TEE_PROPERTIES",
        None,
        doc="JSON file with the pre- and post-compute images of each framework version; the first version serves apps "
        "without a version",
    )
    max_secrets_per_wallet: Annotated[int, Field(gt=0)] = env(
        "WORKERPOOL_SMS_MAX_SECRETS_PER_WALLET",
        10_000,
        doc="Most secrets that one wallet may store, those of its datasets and apps included. A further one is "
        "refused; stored ones stay and can be replaced",
    )
    max_secrets: Annotated[int, Field(gt=0)] = env(
        "WORKERPOOL_SMS_MAX_SECRETS",
        1_000_000,
        doc="Most secrets of all wallets together; each takes up to 5 KiB of disk. A further one is refused; stored "
        "ones stay and can be replaced. Half of them are reserved for secrets of datasets and apps, and for wallets "
        "with a deposit in the hub",
    )
    min_free: Annotated[int, Field(ge=0)] = env(
        "WORKERPOOL_SMS_MIN_FREE",
        256 << 20,
        doc="Bytes that stay free on the disk of MongoDB; a secret that would use them is refused",
    )
    ipfs_gateway: Url = env(
        "WORKERPOOL_SMS_IPFS_GATEWAY",
        "https://ipfs-gateway.v8-bellecour.iex.ec",
        doc="IPFS gateway for reading lists of datasets (bulk processing)",
    )
    allow_unattested_sessions: bool = env(
        "WORKERPOOL_SMS_ALLOW_UNATTESTED_SESSIONS",
        False,
        doc="Release the secrets of a task to a program that has not proven that it runs in an enclave. For tests: "
        "any holder of a session id can read the secrets",
    )
    admin_api_key: SecretStr | None = secret(
        "IEXEC_SMS_ADMIN_API_KEY",
        None,
        doc="Key of the admin methods (backup, restore, stored secrets by wallet), in the header X-API-KEY; they are "
        "disabled while it is unset",
    )
    admin_storage: Path = env(
        "IEXEC_SMS_ADMIN_STORAGE_LOCATION",
        "/backup",
        doc="Folder of the backups; the admin methods touch no file outside it",
    )

    @property
    def secret_limits(self) -> SecretLimits:
        """The limits of stored secrets."""
        return SecretLimits(per_wallet=self.max_secrets_per_wallet, total=self.max_secrets)

    @property
    def audience(self) -> str:
        """The normalized URL for which workers sign."""
        return audience_of(self.public_url or f"http://localhost:{self.http_port}")
