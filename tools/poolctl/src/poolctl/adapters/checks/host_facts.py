"""This host and the pool's folder: passwords, files with secrets, room, certificates."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from workerpool_kit.settings.secrets import is_well_known

from poolctl.adapters.checks.certificates import certificate_of_file
from poolctl.adapters.pool_folder import exposed
from poolctl.domain.diagnosis.facts import Certificate, Volume
from poolctl.domain.diagnosis.host_rules import SHORTEST_PASSWORD
from poolctl.domain.redaction import names_secret, secrets_of
from poolctl.folder import ENV_FILE
from poolctl.settings import PoolctlSettings

_FILE = "_FILE"
_WALLETS = ("*wallet*.json",)
_PASSWORD, _URIS = "PASSWORD", frozenset({"MONGO_URI"})
_ALSO = frozenset({"DBPASS", "ADMINPASSWORD", "WORKERPASSWORD"})


def weak_passwords(variables: Mapping[str, str], folder: Path) -> tuple[str, ...]:
    """Return the variables whose passwords are well-known or too short, those in files and database URIs included."""
    found = []
    for name, password in _passwords(variables, folder):
        if is_well_known(password) or len(password) < SHORTEST_PASSWORD:
            found.append(name)
    return tuple(dict.fromkeys(found))


def _passwords(variables: Mapping[str, str], folder: Path) -> Iterator[tuple[str, str]]:
    for name, value in variables.items():
        plain = name.removesuffix(_FILE)
        if not (_PASSWORD in plain.upper() or plain.upper() in _ALSO or plain in _URIS):
            continue
        text = _content(folder / value) if name.endswith(_FILE) else value
        if text is None:
            continue
        if plain in _URIS:
            password = _password_in(text)
            if password is not None:
                yield plain, password
        else:
            yield plain, text


def _content(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError):
        return None


def _password_in(uri: str) -> str | None:
    try:
        return urlsplit(uri).password
    except ValueError:
        return None


def secrets_in(variables: Mapping[str, str], folder: Path) -> set[str]:
    """Return every secret that the settings hold: values, those in files, and those in URLs."""
    found = secrets_of(variables)
    for name, value in variables.items():
        if not name.endswith(_FILE):
            continue
        plain = name.removesuffix(_FILE)
        if (text := _content(folder / value)) and (names_secret(plain) or plain in _URIS):
            found |= secrets_of({plain: text})
    return found


def exposed_files(variables: Mapping[str, str], folder: Path, settings: PoolctlSettings) -> dict[str, str]:
    """Return the files with secrets that other users can read, with their modes."""
    paths = {
        name: folder / value
        for name, value in variables.items()
        if name.endswith(_FILE) and names_secret(name.removesuffix(_FILE))
    }
    paths |= {name: folder / value for name, value in variables.items() if name.endswith("WALLET_PATH")}
    paths |= {str(path): path for pattern in _WALLETS for path in folder.glob(pattern)}
    if any(names_secret(name) for name in variables):
        paths[ENV_FILE] = folder / ENV_FILE
    if settings.tls_key is not None:
        paths["key"] = settings.tls_key
    return exposed(paths)


def volumes(folder: Path, settings: PoolctlSettings) -> tuple[Volume, ...]:
    """Return the volumes of the pool's folder and of the logs, each once."""
    found: dict[int, Volume] = {}
    for path in (folder, settings.service_logs):
        if path is None:
            continue
        try:
            usage, device = shutil.disk_usage(path), path.stat().st_dev
        except OSError:
            continue
        found.setdefault(device, Volume(str(path.resolve()), usage.free, usage.total))
    return tuple(found.values())


def certificates(settings: PoolctlSettings) -> tuple[Certificate, ...]:
    """Return the certificates of the files that the settings name."""
    return () if settings.tls_certificate is None else (certificate_of_file(settings.tls_certificate),)
