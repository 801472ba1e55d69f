"""Weak protection of secrets, found at the start: well-known passwords, and files that other users can read."""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from workerpool_kit.settings.base import (
    Settings,
    aliases_of,
    is_secret,
    names_secret_file,
    variable_of,
)
from workerpool_kit.settings.types import is_loopback

_WELL_KNOWN = frozenset(
    {
        "",
        "whatever",
        "admin",
        "administrator",
        "password",
        "passw0rd",
        "changeme",
        "change-me",
        "secret",
        "root",
    }
    | {"123456", "12345678", "iexec", "workerpool", "default", "test", "guest"}
)
_OTHERS = stat.S_IRGRP | stat.S_IROTH
_ORCHESTRATOR_SECRETS = Path("/run/secrets")
"""Mounted by container engines into one container. Its mode is the engine's, and only this process can see it."""


def is_well_known(password: str) -> bool:
    """Return whether a password is in every list of default passwords, or empty."""
    return password.lower() in _WELL_KNOWN


def check_password(variable: str, password: SecretStr, hosts: Mapping[str, str]) -> None:
    """Refuse a well-known password for a service that is reached over the network.

    Args:
        variable: the variable of the password, for the message.
        password: the password.
        hosts: addresses through which the service is reached, by the variable that sets each.

    Raises:
        ValueError: the password is in every list of default passwords, and one of the hosts is not loopback.
    """
    if not is_well_known(password.get_secret_value()):
        return
    for setting, host in hosts.items():
        if not is_loopback(host):
            raise ValueError(
                f"{variable}: a well-known default password is accepted on this host only, but {setting} is {host}; "
                "set a password of your own"
            )


@dataclass(frozen=True)
class ExposedFile:
    """A file with a secret that other users of the host can read: its variable, path and mode."""

    variable: str
    path: Path
    mode: str


def exposed_files(settings: Settings, environ: Mapping[str, str] | None = None) -> Iterator[ExposedFile]:
    """Yield every file with a secret that its group or all users can read."""
    for variable, path in _secret_files(settings, os.environ if environ is None else environ):
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        if mode & _OTHERS and not path.is_relative_to(_ORCHESTRATOR_SECRETS):
            yield ExposedFile(variable, path, f"{stat.S_IMODE(mode):04o}")


def _secret_files(settings: Settings, environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    for field_name, info in type(settings).model_fields.items():
        value = getattr(settings, field_name)
        if names_secret_file(info) and isinstance(value, Path):
            yield variable_of(info), value
        if is_secret(info):
            for name in (variable_of(info), *aliases_of(info)):
                if path := environ.get(f"{name}_FILE"):
                    yield f"{name}_FILE", Path(path)
