"""Credentials for a registry: those of the settings, those of the operator's Docker configuration, or none."""

import base64
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workerpool_kit.logs import get_logger

from workerpool_worker.domain.fetching.registries import DOCKER_HUB, registry_key

log = get_logger()

_HUB_SERVER = "https://index.docker.io/v1/"
_TOKEN_USER = "<token>"
_HELPER_LIMIT_S = 10.0
_HELPER_ENVIRONMENT = ("PATH", "HOME", "USER", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The engine's credentials for a registry."""

    auth: Mapping[str, str]
    """The fields of the engine's `X-Registry-Auth`."""
    source: str
    """Their source, for the log."""


ANONYMOUS = Credentials({}, "none")
"""Must be passed explicitly: otherwise the SDK searches for credentials itself, and fails if a helper fails."""


class RegistryCredentials:
    """Finds credentials. A defect of the Docker configuration or of a helper is logged and does not fail a pull."""

    def __init__(self, registries: Mapping[str, tuple[str, str]], config: Path | None = None) -> None:
        """Create it. `registries` holds user and password by address; `config` is another Docker configuration."""
        self._settings = {registry_key(address): login for address, login in registries.items()}
        self._config = config
        self._warned: set[str] = set()

    def is_configured(self, registry: str) -> bool:
        """Return whether the settings hold credentials for a registry, so that the operator chose it."""
        return registry_key(registry) in self._settings

    def of(self, registry: str) -> Credentials:
        """Return the credentials for a registry, `ANONYMOUS` if there are none. Blocks: a helper may run."""
        key = registry_key(registry)
        if key in self._settings:
            user, password = self._settings[key]
            return Credentials(
                {"username": user, "password": password, "serveraddress": _server(key)}, "settings"
            )
        try:
            found = self._from_config(key)
        except (
            OSError,
            ValueError,
            TypeError,
            AttributeError,
            LookupError,
            subprocess.SubprocessError,
        ) as defect:
            self._warn(key, f"{type(defect).__name__}: {defect}")
            return ANONYMOUS
        return Credentials(found, "Docker configuration") if found else ANONYMOUS

    def _from_config(self, key: str) -> dict[str, str]:
        path = self._config or _config_path()
        if not path.exists():
            return {}
        config = json.loads(path.read_text())
        helpers = {registry_key(address): name for address, name in (config.get("credHelpers") or {}).items()}
        if helper := helpers.get(key) or config.get("credsStore"):
            try:
                found = _ask_helper(str(helper), _server(key))
            except (OSError, ValueError, LookupError, subprocess.SubprocessError) as defect:
                self._warn(key, f"docker-credential-{helper}: {defect}")
                found = {}
            if found:
                return found
        entries = {registry_key(address): entry for address, entry in (config.get("auths") or {}).items()}
        return _from_entry(entries.get(key) or {}, key)

    def _warn(self, key: str, problem: str) -> None:
        if key not in self._warned:
            self._warned.add(key)
            log.warning(
                "credentials.read_failed",
                registry=key,
                problem=problem[:300],
                advice="correct ~/.docker/config.json; until then its images are pulled without credentials",
            )


def _server(key: str) -> str:
    return _HUB_SERVER if key == DOCKER_HUB else key


def _config_path() -> Path:
    folder = os.environ.get("DOCKER_CONFIG")
    return Path(folder) / "config.json" if folder else Path.home() / ".docker" / "config.json"


def _from_entry(entry: Mapping[str, Any], key: str) -> dict[str, str]:
    if token := entry.get("identitytoken"):
        return {"identitytoken": str(token), "serveraddress": _server(key)}
    user, password = entry.get("username", ""), entry.get("password", "")
    if encoded := entry.get("auth"):
        user, colon, password = base64.b64decode(encoded).decode().partition(":")
        if not colon:
            raise ValueError(f"the entry auth of {key} holds no user and password")
    return {"username": user, "password": password, "serveraddress": _server(key)} if user else {}


def _ask_helper(name: str, server: str) -> dict[str, str]:
    """Run a credential helper and return its credentials for a registry."""
    kept = {each: os.environ[each] for each in _HELPER_ENVIRONMENT if each in os.environ}
    done = subprocess.run(
        [f"docker-credential-{name}", "get"],
        input=server.encode(),
        capture_output=True,
        timeout=_HELPER_LIMIT_S,
        env=kept,
        check=False,
    )
    if done.returncode:
        text = (done.stdout or done.stderr).decode(errors="replace").strip()
        if "credentials not found" in text.lower():
            return {}
        raise ValueError(f"exit code {done.returncode}: {text[:200]}")
    answer = json.loads(done.stdout)
    user, secret = str(answer["Username"]), str(answer["Secret"])
    if user == _TOKEN_USER:
        return {"identitytoken": secret, "serveraddress": server}
    return {"username": user, "password": secret, "serveraddress": server}
