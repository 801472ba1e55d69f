"""Connection settings of poolctl: the services, their credentials, and the chain.

They have the names that the pool's services use, so that the `.env` of a pool serves poolctl too. A flag goes before a
variable of the environment, and this before a line of `.env`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from workerpool_kit.settings.base import Variables, aliases_of, env, is_secret, secret, variable_of
from workerpool_kit.settings.environment import SettingsError, load
from workerpool_kit.settings.types import EthAddress, GrpcTarget, Url
from workerpool_kit.targets import service_url

from poolctl.errors import UnusableSettings
from poolctl.folder import POOL_DIR, pool_folder

_CORE_PORT, _ADAPTER_PORT = 7001, 13010
"""Host ports of the pool's compose file."""


class PoolctlSettings(Variables):
    """Where the services of a pool are, and what poolctl proves to them."""

    own_prefixes = ("POOLCTL_",)

    pool_dir: Path = env(
        POOL_DIR, Path("."), doc="Folder of the pool; its file .env is read when it exists (--pool-dir)"
    )
    core_url: Url | None = env(
        "IEXEC_CORE_URL", None, doc="URL of core (--core-url); unset means PROD_CORE_HOST, or localhost:13000"
    )
    core_host: str = env("PROD_CORE_HOST", "", doc="Host of core, published on port 7001 as compose does")
    core_grpc: GrpcTarget | None = env(
        "POOLCTL_CORE_GRPC_TARGET",
        None,
        doc="gRPC address of core; unset means the one in its URL, or the one that its HTTP port announces",
    )
    operator_username: str = env(
        "IEXEC_CORE_OPERATOR_USERNAME",
        "",
        doc="User name of core's operator (--operator)",
        aliases=("ADMINLOGIN",),
    )
    operator_password: SecretStr | None = secret(
        "IEXEC_CORE_OPERATOR_PASSWORD",
        None,
        doc="Password of core's operator (--operator-password-file)",
        aliases=("ADMINPASSWORD",),
    )
    adapter_url: Url | None = env(
        "IEXEC_CORE_CHAIN_ADAPTER_URL",
        None,
        doc="URL of the chain adapter (--adapter-url); unset means PROD_CHAIN_ADAPTER_HOST, or localhost:13010",
    )
    adapter_host: str = env(
        "PROD_CHAIN_ADAPTER_HOST", "", doc="Host of the chain adapter, published on port 13010"
    )
    adapter_username: str = env(
        "IEXEC_CORE_CHAIN_ADAPTER_USERNAME", "admin", doc="User name for the chain adapter"
    )
    adapter_password: SecretStr | None = secret(
        "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD",
        None,
        doc="Password for the chain adapter",
        aliases=("PROD_CHAIN_ADAPTER_PASSWORD",),
    )
    publisher_url: Url = env(
        "ORDER_PUBLISHER_URL", "http://localhost:13400", doc="URL of the order publisher (--publisher-url)"
    )
    publisher_username: str = env(
        "ORDER_PUBLISHER_OPERATOR_USERNAME",
        "",
        doc="User name of the order publisher's operator; unset means core's",
    )
    publisher_password: SecretStr | None = secret(
        "ORDER_PUBLISHER_OPERATOR_PASSWORD",
        None,
        doc="Password of the order publisher's operator; unset means core's",
    )
    proxy_url: Url = env(
        "IEXEC_RESULT_REPOSITORY_URL", "http://localhost:13200", doc="URL of the result proxy"
    )
    registry_url: Url = env(
        "IEXEC_CONFIG_SERVER_URL", "http://localhost:8888", doc="URL of the config server"
    )
    sms_url: Url | None = env("IEXEC_SMS_URL", None, doc="URL of the SMS; unset means that the pool has none")
    market_url: Url | None = env("MARKET_API_URL", None, doc="URL of the market that `orders list` reads")
    node_url: Url | None = env(
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS",
        None,
        doc="JSON-RPC address of the node (--node-url); unset means the one that the config server names",
        aliases=("CHAIN_URL",),
    )
    chain_id: int | None = env(
        "IEXEC_CHAIN_ID", None, doc="EIP-155 id of the chain; init needs it", aliases=("CHAIN_ID",)
    )
    hub_address: EthAddress | None = env(
        "IEXEC_HUB_ADDRESS", None, doc="Address of the hub; init needs it", aliases=("CHAIN_HUB_ADDRESS",)
    )
    pool_address: EthAddress | None = env(
        "POOL_ADDRESS", None, doc="Address of the workerpool on chain", aliases=("PROD_POOL_ADDRESS",)
    )
    service_logs: Path | None = env(
        "POOLCTL_SERVICE_LOGS",
        None,
        doc="Folder with the logs of the services, NAME.log each; unset means those that docker compose keeps",
    )
    tls_ca: Path | None = env(
        "WORKERPOOL_TLS_CA",
        None,
        doc="PEM file with the authorities of the services' certificates (--ca); unset means those of the system",
    )
    tls_certificate: Path | None = env(
        "WORKERPOOL_TLS_CERTIFICATE", None, doc="PEM file with a certificate for mutual TLS (--cert)"
    )
    tls_key: Path | None = env(
        "WORKERPOOL_TLS_KEY", None, doc="PEM file with its key (--key)", secret_file=True
    )
    allow_cleartext: bool = env(
        "WORKERPOOL_ALLOW_CLEARTEXT",
        False,
        doc="Send passwords without TLS to services on other hosts (--allow-cleartext)",
    )

    @property
    def core(self) -> str:
        """URL of core."""
        return self.core_url or (
            service_url("http", self.core_host, _CORE_PORT) if self.core_host else "http://localhost:13000"
        )

    @property
    def adapter(self) -> str:
        """URL of the chain adapter."""
        return self.adapter_url or service_url("http", self.adapter_host or "localhost", _ADAPTER_PORT)

    @property
    def services(self) -> dict[str, str]:
        """URL of each service of the pool, by name."""
        named = {
            "core": self.core,
            "chain_adapter": self.adapter,
            "result_proxy": self.proxy_url,
            "registry": self.registry_url,
            "order_publisher": self.publisher_url,
        }
        return named | ({"sms": self.sms_url} if self.sms_url else {})


def read_settings(
    flags: Mapping[str, str], env_file: Mapping[str, str], environ: Mapping[str, str] | None = None
) -> PoolctlSettings:
    """Return the settings, each from the first source that has it: flags, environment, `.env`.

    Args:
        flags: variable to text, for the flags that were given. `POOLCTL_POOL_DIR` is the folder that was read.
        env_file: the lines of `.env`. Paths in it start at the pool's folder.
        environ: the environment; that of the process by default.

    Raises:
        UnusableSettings: with one line per problem.
    """
    environ = os.environ if environ is None else environ
    folder = pool_folder(flags, environ)
    chosen: dict[str, str] = {}
    for info in PoolctlSettings.model_fields.values():
        names = _names(info)
        sources: tuple[Mapping[str, str], ...] = (flags, environ, env_file)
        for source in sources:
            if found := {name: source[name] for name in names if source.get(name)}:
                # A source may name a secret twice, as a value and as the file that was made of it: the first counts.
                first = dict([next(iter(found.items()))]) if is_secret(info) else found
                chosen |= _from_folder(info, first, folder) if source is env_file else first
                break
    chosen |= {
        name: value for name, value in environ.items() if name.startswith(PoolctlSettings.own_prefixes)
    }
    chosen |= {name: flags[name] for name in flags if name.startswith(PoolctlSettings.own_prefixes)}
    try:
        return load(PoolctlSettings, chosen)
    except SettingsError as error:
        raise UnusableSettings(
            "\n".join(error.problems), "correct these settings; `poolctl --help` says where each comes from"
        ) from error


def _names(info: FieldInfo) -> list[str]:
    plain = [variable_of(info), *aliases_of(info)]
    return [*plain, *(f"{name}_FILE" for name in plain)] if is_secret(info) else plain


def _from_folder(info: FieldInfo, found: dict[str, str], folder: Path) -> dict[str, str]:
    """Return values of `.env` with their paths below the pool's folder."""
    names_path: Any = info.annotation in (Path, Path | None)
    return {
        name: str(folder / value) if names_path or name.endswith("_FILE") else value
        for name, value in found.items()
    }
