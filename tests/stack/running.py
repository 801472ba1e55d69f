"""Runs Docker Compose on copies of this repository as an operator does, and looks at what it started."""

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from install.conftest import copy_tracked_files

from stack.compose_files import ROOT
from stack.stand_ins import left_out

PLUGINS = ROOT / ".cache/docker"
"""Docker's folder of settings with the plugin that `make compose` builds."""
OURS = ("core", "chain-adapter", "result-proxy", "registry", "sms", "order-publisher-std")
_CLIENT_FILES = {"pip.conf": "/etc/pip.conf", "ca-certificates.crt": "/etc/ssl/certs/ca-certificates.crt"}
_COMMAND_LIMIT_S = 1800.0
_LOG_END = 60


class StackError(AssertionError):
    """A command failed or a container did not become what it was waited for; the message holds the end of its log."""


@dataclass
class Project:
    """The compose files of one folder with its .env."""

    folder: Path
    files: Sequence[str] = ("compose.yaml",)
    environment: dict[str, str] = field(default_factory=dict)

    def compose(self, *arguments: str, check: bool = True) -> str:
        """Run `docker compose` as an operator does; return what it prints."""
        named = [option for file in self.files for option in ("-f", file)]
        done = subprocess.run(
            ["docker", "compose", "--progress", "plain", *named, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=_COMMAND_LIMIT_S,
            check=False,
            # Nothing of this process: a variable of the shell goes before .env.
            env={**_engine_environment(), **self.environment},
        )
        if check and done.returncode:
            end = "\n".join((done.stdout + done.stderr).splitlines()[-_LOG_END:])
            raise StackError(f"docker compose {' '.join(arguments)} ended with {done.returncode}:\n{end}")
        return done.stdout

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return the containers by service, ended ones included, as `docker compose ps` describes them."""
        lines = self.compose("ps", "--all", "--format", "json").splitlines()
        return {each["Service"]: each for each in map(json.loads, filter(None, lines))}

    def inspect(self, service: str) -> dict[str, Any]:
        """Return the engine's description of a container."""
        (found,) = json.loads(engine("inspect", self.containers()[service]["ID"]))
        assert isinstance(found, dict)
        return found

    def wait_healthy(self, services: Sequence[str], limit_s: float) -> float:
        """Wait until each service is healthy; return the seconds. Raises StackError with the end of its log."""
        started = time.monotonic()

        def unhealthy() -> list[str]:
            there = self.containers()
            return [name for name in services if there.get(name, {}).get("Health") != "healthy"]

        def failure() -> str:
            waiting = unhealthy()
            logs = self.compose("logs", "--no-color", "--tail", str(_LOG_END), *waiting, check=False)
            return f"not healthy after {limit_s:g} s: {', '.join(waiting)}\n{logs}"

        wait_until(lambda: not unhealthy(), limit_s, failure)
        return time.monotonic() - started

    def write_env(self, values: Mapping[str, str]) -> None:
        """Write .env: the example, then these values."""
        own = "".join(f"{name}={value}\n" for name, value in values.items())
        file = self.folder / ".env"
        file.write_text(f"{(ROOT / '.env.example').read_text()}\n{own}")
        file.chmod(0o600)


def _engine_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_HOST") if name in os.environ}
    return kept | {"DOCKER_CONFIG": str(PLUGINS)}


def engine(*arguments: str) -> str:
    """Run a `docker` command; return what it prints."""
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=False, env=_engine_environment()
    )
    if done.returncode:
        raise StackError(f"docker {' '.join(arguments)}: {done.stderr[-2000:]}")
    return done.stdout


def clone(target: Path, wallet: Path | None = None) -> Project:
    """Copy the repository's files, as a clone has them, and the pool owner's key store."""
    copy_tracked_files(target)
    if wallet is not None:
        shutil.copyfile(wallet, target / "wallet.json")
    return Project(target)


def build_settings(folder: Path, *services: str) -> str:
    """Write an overlay with this machine's way to its package index, and return its name.

    The files come as secrets of the build, so that no layer and no image holds them.
    """
    files = {name: path for name, path in _CLIENT_FILES.items() if Path(path).exists()}
    build = {"network": "host", "entitlements": ["network.host"], "secrets": list(files)}
    content = {
        "services": {name: {"build": build} for name in services},
        "secrets": {name: {"file": path} for name, path in files.items()},
    }
    # JSON is YAML.
    (folder / "compose.build.json").write_text(json.dumps(content))
    return "compose.build.json"


def pool_command(folder: Path, command: str, *options: str) -> str:
    """Run `make pool-check` or `make pool-secrets` of a clone."""
    done = subprocess.run(
        [sys.executable, "-m", "pool_env", command, *options],
        cwd=folder / "tools",
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    if done.returncode:
        raise StackError(f"pool_env {command}: {done.stdout}{done.stderr}")
    return done.stdout


def up(project: Project, *options: str) -> None:
    """Start a project as its guide says, without the services that have no stand-in here."""
    services = json.loads(project.compose("config", "--format", "json"))["services"]
    # Compose pulls the images of all services that it starts, those with no container included.
    started = [name for name in services if name not in left_out()]
    project.compose("up", "--detach", "--no-build", *options, *started)


def remains(*projects: str) -> list[str]:
    """Return the names of containers, networks and volumes of these compose projects."""
    found: list[str] = []
    for project in projects:
        label = f"label=com.docker.compose.project={project}"
        for kind, shown in (("container", "{{.Names}}"), ("network", "{{.Name}}"), ("volume", "{{.Name}}")):
            listing = ["ls", "--all"] if kind == "container" else ["ls"]
            found += engine(kind, *listing, "--filter", label, "--format", shown).split()
    return found


@dataclass(frozen=True)
class Trust:
    """How a client of a test reaches a name that no name server knows."""

    authority: Path
    """PEM file of the authority that issued the name's certificate."""
    address: str = ""
    """Address of the name; empty resolves it."""


class _HttpsConnection(http.client.HTTPSConnection):
    """Connects to a given address and checks the certificate of the name."""

    def __init__(self, host: str, port: int, limit_s: float, trust: Trust) -> None:
        self._trusted = ssl.create_default_context(cafile=str(trust.authority))
        self._address = trust.address or host
        super().__init__(host, port, timeout=limit_s, context=self._trusted)

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._trusted.wrap_socket(plain, server_hostname=self.host)


def get(url: str, limit_s: float = 10.0, trust: Trust | None = None) -> tuple[int, bytes]:
    """Return status and body of a URL, without following redirects; 0 without an answer."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    if trust is None:
        connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=limit_s)
    else:
        connection = _HttpsConnection(parts.hostname, parts.port or 443, limit_s, trust)
    try:
        connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as problem:
        return 0, str(problem).encode()
    finally:
        connection.close()


def wait_until(done: Callable[[], bool], limit_s: float, what: Callable[[], str]) -> None:
    """Wait for a condition. Raises StackError."""
    give_up_at = time.monotonic() + limit_s
    while not done():
        if time.monotonic() > give_up_at:
            raise StackError(what())
        time.sleep(0.5)


def memory_mib(project: Project, services: Sequence[str]) -> dict[str, float]:
    """Return the memory that each service uses."""
    ids = {each["ID"][:12]: name for name, each in project.containers().items() if name in services}
    lines = engine("stats", "--no-stream", "--format", "{{.ID}} {{.MemUsage}}", *ids).splitlines()
    return {ids[line.split()[0][:12]]: _mib(line.split()[1]) for line in lines}


def _mib(text: str) -> float:
    for unit, factor in (("GiB", 1024.0), ("MiB", 1.0), ("KiB", 1 / 1024)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    return float(text.removesuffix("B")) / 2**20
