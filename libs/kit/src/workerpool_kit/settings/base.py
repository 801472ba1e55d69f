"""Declaration of settings: a service names every documented environment variable with `env` or `secret`.

`workerpool_kit.settings.environment.load` builds the frozen object; `reference` renders the documentation.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic.fields import FieldInfo

from workerpool_kit.access.callers import THIS_HOST as PROXIES_OF_THIS_HOST
from workerpool_kit.access.callers import TrustedProxies
from workerpool_kit.settings.types import BindAddress, GrpcTarget, Port
from workerpool_kit.tls.cleartext import CleartextRefused, check_cleartext

EVERY_INTERFACE, THIS_HOST = "::", "127.0.0.1"
"""Bind addresses: every interface with IPv6 and IPv4, and the loopback interface."""
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


def env(
    name: str, default: Any = ..., *, doc: str, aliases: tuple[str, ...] = (), secret_file: bool = False
) -> Any:
    """Declare a setting read from the environment variable `name`, or from one of its older names, `aliases`.

    An empty variable counts as unset. A field typed as list, tuple, set or frozenset is read as a comma-separated list.
    `secret_file` marks a path whose file holds a secret: a start names it if other users can read it.
    """
    return _field(name, default, doc, aliases, is_secret=False, secret_file=secret_file)


def secret(name: str, default: Any = ..., *, doc: str, aliases: tuple[str, ...] = ()) -> Any:
    """Declare a secret (type it `SecretStr`), read from `name` or from the file that `name`_FILE names.

    The file's last newline is dropped. Setting both is refused. The value is never printed.
    """
    return _field(name, default, doc, aliases, is_secret=True)


def _field(
    name: str, default: Any, doc: str, aliases: tuple[str, ...], *, is_secret: bool, secret_file: bool = False
) -> Any:
    if is_secret and isinstance(default, str):
        default = SecretStr(default)
    described = {
        "variable": name,
        "aliases": list(aliases),
        "secret": is_secret,
        "secret_file": secret_file,
    }
    return Field(
        default, description=doc, validate_default=not is_secret, json_schema_extra=cast(Any, described)
    )


def variable_of(info: FieldInfo) -> str:
    """Return the environment variable of a field. Raises TypeError for a field without `env` or `secret`."""
    return str(_declaration(info)["variable"])


def aliases_of(info: FieldInfo) -> tuple[str, ...]:
    """Return the older names of a field's variable."""
    return tuple(_declaration(info)["aliases"])


def is_secret(info: FieldInfo) -> bool:
    """Return whether a field was declared with `secret`."""
    return bool(_declaration(info)["secret"])


def names_secret_file(info: FieldInfo) -> bool:
    """Return whether a field is the path of a file that holds a secret."""
    return bool(_declaration(info)["secret_file"])


def _declaration(info: FieldInfo) -> dict[str, Any]:
    if not isinstance(info.json_schema_extra, dict) or "variable" not in info.json_schema_extra:
        raise TypeError("every setting is declared with env(...) or secret(...)")
    return cast(dict[str, Any], info.json_schema_extra)


class Variables(BaseModel):
    """Base of the settings of any program: immutable, built by `load`, or with keyword arguments in tests."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    own_prefixes: ClassVar[tuple[str, ...]] = ()
    """Variables with one of these prefixes that no field declares are refused as misspellings."""

    ignored_variables: ClassVar[Mapping[str, str]] = {}
    """Documented variables without effect on this service: name to reason and successor.

    They are accepted; `run_service` names each one that is set. Write the reason as the rest of a sentence, such as
    "the registry describes the chain; set IEXEC_CHAIN_ID there".
    """


class Settings(Variables):
    """Base of every service's settings: the variables that each process of a pool has."""

    log_level: LogLevel = env("WORKERPOOL_LOG_LEVEL", "INFO", doc="Least severe level that is logged")
    http_bind: BindAddress = env(
        "WORKERPOOL_HTTP_BIND_ADDRESS",
        EVERY_INTERFACE,
        doc="Address of this host that the HTTP port listens on; 127.0.0.1 admits this host only, :: every interface "
        "with IPv6 and IPv4",
    )
    grpc_bind: BindAddress = env(
        "WORKERPOOL_GRPC_BIND_ADDRESS",
        EVERY_INTERFACE,
        doc="Address of this host that the gRPC port listens on; 127.0.0.1 admits this host only, :: every interface "
        "with IPv6 and IPv4",
    )
    grpc_public_target: GrpcTarget | None = env(
        "WORKERPOOL_GRPC_PUBLIC_TARGET",
        None,
        doc="gRPC address of this service as its clients reach it, host:port or https://host:port, if a port mapping "
        "or a reverse proxy changes it; GET /version reports it. Unset means the gRPC port at the host of the URL",
    )
    trusted_proxies: str = env(
        "FORWARDED_ALLOW_IPS",
        PROXIES_OF_THIS_HOST,
        doc="Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses and networks, or * "
        "where only a reverse proxy reaches the ports",
    )
    tls_certificate: Path | None = env(
        "WORKERPOOL_TLS_CERTIFICATE",
        None,
        doc="PEM file with the certificate chain of this process. With it both ports speak TLS only, and channels to "
        "other services present it. Read again when it changes, like the next three",
    )
    tls_key: Path | None = env(
        "WORKERPOOL_TLS_KEY", None, doc="PEM file with the private key of that certificate", secret_file=True
    )
    tls_ca: Path | None = env(
        "WORKERPOOL_TLS_CA",
        None,
        doc="PEM file with the authorities that issue the certificates of the pool's services; unset means those of "
        "the system",
    )
    tls_client_ca: Path | None = env(
        "WORKERPOOL_TLS_CLIENT_CA",
        None,
        doc="PEM file with authorities (mutual TLS): the gRPC port then admits only callers with a certificate of one",
    )
    allow_cleartext: bool = env(
        "WORKERPOOL_ALLOW_CLEARTEXT",
        False,
        doc="Send passwords and tokens without TLS to services on other hosts. Set it only where the network between "
        "them is private",
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_addresses(cls, value: str) -> str:
        TrustedProxies(value)
        return value

    @model_validator(mode="after")
    def _complete_tls(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("WORKERPOOL_TLS_KEY: set it together with WORKERPOOL_TLS_CERTIFICATE")
        if self.tls_client_ca is not None and self.tls_certificate is None:
            raise ValueError("WORKERPOOL_TLS_CLIENT_CA: set WORKERPOOL_TLS_CERTIFICATE too, or remove it")
        return self

    def check_cleartext(self, variable: str, address: str, what: str) -> None:
        """Raise ValueError when `what`, credentials, would travel to an address without TLS and without permission."""
        try:
            check_cleartext(address, what, allowed=self.allow_cleartext)
        except CleartextRefused as refused:
            raise ValueError(f"{variable}: {refused}") from None


class MongoSettings(BaseModel):
    """Mix-in for a service with a database: either one URI, or host and port.

    A service overrides `mongo_database` with its own default: two services never share a database.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    mongo_uri: SecretStr | None = secret(
        "MONGO_URI",
        None,
        doc="MongoDB connection string of a replica set; replaces MONGO_HOST and MONGO_PORT",
    )
    mongo_host: str = env(
        "MONGO_HOST", "localhost", doc="Host of the first MongoDB replica set member to ask"
    )
    mongo_port: Port = env("MONGO_PORT", 27017, doc="Port of that member")
    mongo_database: str = env("MONGO_DATABASE", doc="Name of this service's own database")

    @model_validator(mode="after")
    def _one_way_to_the_database(self) -> Self:
        if self.mongo_uri is not None and {"mongo_host", "mongo_port"} & self.model_fields_set:
            # A service may read host and port from other documented names, so take the names from the fields.
            fields = type(self).model_fields
            uri, host, port = (variable_of(fields[f"mongo_{part}"]) for part in ("uri", "host", "port"))
            raise ValueError(f"{uri}: set either {uri}, or {host} and {port}, not both")
        return self
