"""The secrets of a pool as files, which compose.yaml mounts into the containers that need them.

The folder is closed to other users, so its files may be readable: each container reads them as its own user.
"""

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

FOLDER_MODE, FILE_MODE = 0o700, 0o444
WALLET = "core-wallet.json"
_KEY_BYTES = 756
"""The most that a key file of MongoDB holds, in base64."""


def strong_password() -> str:
    """Return a password of 32 letters, digits, dashes and underscores."""
    return secrets.token_urlsafe(24)


def mongo_key() -> str:
    """Return the content of a key file for the members of a replica set."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _uri(user: str) -> Callable[[], str]:
    def make() -> str:
        return (
            f"mongodb://{user}:{quote(strong_password())}@mongo:27017/?replicaSet=workerpool&authSource=admin"
        )

    return make


@dataclass(frozen=True)
class Secret:
    """One file: the variable of .env that sets it, and how it is made when neither exists; None for a wallet's."""

    file: str
    variable: str | None
    make: Callable[[], str] | None


POOL = (
    Secret("core-wallet-password", "PROD_CORE_WALLET_PASSWORD", None),
    Secret("chain-adapter-password", "PROD_CHAIN_ADAPTER_PASSWORD", strong_password),
    Secret("core-operator-password", "IEXEC_CORE_OPERATOR_PASSWORD", strong_password),
    Secret("grafana-admin-password", "PROD_GRAFANA_ADMIN_PASSWORD", strong_password),
    Secret("mongo-password", "PROD_MONGO_PASSWORD", strong_password),
    Secret("mongo-express-password", "ME_CONFIG_BASICAUTH_PASSWORD", strong_password),
    Secret("mongo-key", None, mongo_key),
    Secret("mongo-uri-core", None, _uri("core")),
    Secret("mongo-uri-chain-adapter", None, _uri("chain-adapter")),
    Secret("mongo-uri-result-proxy", None, _uri("result-proxy")),
    Secret("mongo-uri-sms", None, _uri("sms")),
)
"""The secrets of compose.yaml, besides the key store of the pool owner (`WALLET`)."""
WORKER = (Secret("worker-wallet-password", "PROD_WALLET_PASSWORD", None),)
"""The secret of deploy/worker/compose.yaml."""


@dataclass
class Plan:
    """The files to write, and the secrets that only the operator can provide."""

    files: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def plan(wanted: tuple[Secret, ...], values: Mapping[str, str], existing: Mapping[str, str]) -> Plan:
    """Return the plan: a value of .env overrides an existing file, which overrides a new password.

    Args:
        wanted: the secrets.
        values: the variables of .env.
        existing: name to content of the files that are there.
    """
    found = Plan()
    for each in wanted:
        given = values.get(each.variable or "", "")
        if given:
            if existing.get(each.file) != given:
                found.files[each.file] = given
        elif existing.get(each.file):
            continue
        elif each.make is None:
            found.missing.append(f"{each.variable}: set it in .env, or write it to the file {each.file}")
        else:
            found.files[each.file] = each.make()
    return found


def read(folder: Path, wanted: tuple[Secret, ...]) -> dict[str, str]:
    """Return the content of the secret files that exist."""
    paths = {each.file: folder / each.file for each in wanted}
    return {name: path.read_text().removesuffix("\n") for name, path in paths.items() if path.is_file()}


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write each file atomically into a folder that only its owner can enter."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    folder.chmod(FOLDER_MODE)
    for name, content in files.items():
        new = folder / f".{name}.new"
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "w") as file:
            file.write(content)
        new.chmod(FILE_MODE)  # whatever the umask is
        new.replace(folder / name)
