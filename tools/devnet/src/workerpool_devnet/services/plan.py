"""The plan of each service of the pool: its module, its ports, its environment.

Services are configured only through their documented environment variables; secrets are in files of mode 0600
in the run folder, named by `*_FILE` variables.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import Address

from workerpool_devnet.errors import OptionsError
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.ports import ServicePorts, documented_or_free, free_service_ports, is_free

_DOCUMENTED_HTTP = {"registry": 8888, "chain_adapter": 13010, "result_proxy": 13200, "core": 13000}
_FIRST_WORKER_HTTP = 13100
_CLEARED_PREFIXES = ("IEXEC_", "MONGO_", "WORKERPOOL_", "POOL_ADDRESS", "CHAIN_", "REVEAL_")
_ADAPTER_USER = "core"


@dataclass(frozen=True)
class ServiceSpec:
    """One process to start: `python -m module` with exactly this environment."""

    name: str
    module: str
    ports: ServicePorts
    environment: dict[str, str]

    @property
    def command(self) -> list[str]:
        """The command line, with the interpreter of the devnet."""
        return [sys.executable, "-m", self.module]

    @property
    def http(self) -> str:
        """URL of the HTTP port."""
        return f"http://127.0.0.1:{self.ports.http}"

    @property
    def grpc(self) -> str:
        """gRPC target for a channel or grpcurl."""
        return f"127.0.0.1:{self.ports.grpc}"


@dataclass(frozen=True)
class Surroundings:
    """The chain and the database that the services use."""

    rpc: str
    chain_id: int
    hub: Address
    workerpool: Address
    block_time: int
    mongo_uri: str
    databases: Mapping[str, str]
    """Service name → name of its own database."""


@dataclass
class ServicePlan:
    """Plans the services of a devnet and writes their secrets and key stores below `folder`."""

    folder: Path
    options: DevnetOptions
    pool_owner: Wallet
    workers: list[Wallet]
    ports: dict[str, ServicePorts] = field(init=False)

    def __post_init__(self) -> None:
        """Choose the ports and write the secrets."""
        names = [*_DOCUMENTED_HTTP, *(f"worker-{number}" for number in range(1, len(self.workers) + 1))]
        self.ports = _choose_ports(names, self.options.ports)
        self._adapter_password = self._secret("adapter-password", secrets.token_urlsafe(24))
        self._pool_wallet = self._key_store("pool-owner", self.pool_owner)
        self._worker_wallets = [
            self._key_store(f"worker-{number}", wallet) for number, wallet in enumerate(self.workers, start=1)
        ]

    def specs(self, around: Surroundings) -> list[ServiceSpec]:
        """Return the processes in the order of their dependencies; all may start at once."""
        mongo = self._secret("mongo-uri", around.mongo_uri)
        plain = [
            ("registry", self._registry(around)),
            ("chain_adapter", self._chain_adapter(around) | self._database("chain_adapter", mongo, around)),
            ("result_proxy", self._result_proxy(around) | self._database("result_proxy", mongo, around)),
            ("core", self._core(around) | self._database("core", mongo, around)),
            *(
                (f"worker-{number}", self._worker(number, around))
                for number in range(1, len(self.workers) + 1)
            ),
        ]
        return [self._spec(name, environment, around) for name, environment in plain]

    def _spec(self, name: str, environment: dict[str, str], around: Surroundings) -> ServiceSpec:
        kind = name.partition("-")[0]
        extra = {**self.options.environment.get(kind, {}), **self.options.environment.get(name, {})}
        environment["WORKERPOOL_GRPC_PORT"] = str(self.ports[name].grpc)
        environment["POOL_ADDRESS"] = around.workerpool
        environment["TMPDIR"] = str(self.folder / name)  # removed with the run folder
        return ServiceSpec(
            name, f"workerpool_{kind}", self.ports[name], _cleaned_environment() | environment | extra
        )

    def _registry(self, around: Surroundings) -> dict[str, str]:
        return {"IEXEC_CONFIG_SERVER_PORT": self._port("registry"), **_chain(around)}

    def _chain_adapter(self, around: Surroundings) -> dict[str, str]:
        wallet, password = self._pool_wallet
        return {
            "IEXEC_BLOCKCHAIN_ADAPTER_API_PORT": self._port("chain_adapter"),
            "IEXEC_BLOCKCHAIN_ADAPTER_API_USERNAME": _ADAPTER_USER,
            "IEXEC_BLOCKCHAIN_ADAPTER_API_PASSWORD_FILE": self._adapter_password,
            "IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET_PATH": wallet,
            "IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET_PASSWORD_FILE": password,
            **_chain(around),
        }

    def _result_proxy(self, around: Surroundings) -> dict[str, str]:
        return {"IEXEC_RESULT_PROXY_PORT": self._port("result_proxy"), **_chain(around)}

    def _core(self, around: Surroundings) -> dict[str, str]:
        wallet, password = self._pool_wallet
        return {
            "IEXEC_CORE_PORT": self._port("core"),
            "IEXEC_CORE_WALLET_PATH": wallet,
            "IEXEC_CORE_WALLET_PASSWORD_FILE": password,
            "IEXEC_BLOCKCHAIN_NODE_ADDRESS": around.rpc,
            "IEXEC_CORE_CHAIN_ADAPTER_URL": self._url("chain_adapter"),
            "IEXEC_CORE_CHAIN_ADAPTER_USERNAME": _ADAPTER_USER,
            "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD_FILE": self._adapter_password,
            "IEXEC_CONFIG_SERVER_URL": self._url("registry"),
            "IEXEC_RESULT_REPOSITORY_URL": self._url("result_proxy"),
        }

    def _worker(self, number: int, around: Surroundings) -> dict[str, str]:
        name = f"worker-{number}"
        wallet, password = self._worker_wallets[number - 1]
        return {
            "IEXEC_WORKER_PORT": self._port(name),
            "IEXEC_WORKER_NAME": name,
            "IEXEC_CORE_URL": self._url("core"),
            "IEXEC_WORKER_BASE_DIR": str(self.folder / name),
            "IEXEC_WORKER_OVERRIDE_AVAILABLE_CPU_COUNT": str(self.options.cpus_per_worker),
            "IEXEC_WORKER_OVERRIDE_BLOCKCHAIN_NODE_ADDRESS": around.rpc,
            "IEXEC_WORKER_WALLET_PATH": wallet,
            "IEXEC_WORKER_WALLET_PASSWORD_FILE": password,
        }

    def _database(self, name: str, mongo_uri_file: str, around: Surroundings) -> dict[str, str]:
        return {"MONGO_URI_FILE": mongo_uri_file, "MONGO_DATABASE": around.databases[name]}

    def _port(self, name: str) -> str:
        return str(self.ports[name].http)

    def _url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name].http}"

    def _secret(self, name: str, content: str) -> str:
        path = self.folder / "secrets" / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(content)
        return str(path)

    def _key_store(self, name: str, wallet: Wallet) -> tuple[str, str]:
        """Write a light key store; return its path and that of its password file."""
        password = secrets.token_urlsafe(24)
        password_file = self._secret(f"{name}-password", password)
        path = self.folder / "secrets" / f"{name}-wallet.json"
        wallet.write_keystore(path, password, light=True)
        return str(path), password_file


def _chain(around: Surroundings) -> dict[str, str]:
    return {
        "IEXEC_CHAIN_ID": str(around.chain_id),
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS": around.rpc,
        "IEXEC_HUB_ADDRESS": around.hub,
        # The services accept 100 ms or more; it stands for instant mining.
        "IEXEC_BLOCK_TIME": f"PT{around.block_time}S" if around.block_time else "PT0.1S",
        "IEXEC_IS_SIDECHAIN": "false",
    }


def _cleaned_environment() -> dict[str, str]:
    """Return the own environment without the settings of any pool."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(_CLEARED_PREFIXES)}
    return own | {"PYTHONUNBUFFERED": "1"}


def _choose_ports(names: list[str], wish: str | int) -> dict[str, ServicePorts]:
    """Return distinct ports for every service."""
    documented = iter(_documented_http(names))
    chosen: dict[str, ServicePorts] = {}
    taken: set[int] = set()
    for position, name in enumerate(names):
        if isinstance(wish, int):
            ports = ServicePorts(wish + position, wish + position + GRPC_PORT_OFFSET)
            for port in (ports.http, ports.grpc):
                if not is_free(port):
                    raise OptionsError(
                        f"port {port} for {name} is in use: choose another first port (--port-base)"
                    )
        else:
            ports = documented_or_free(next(documented)) if wish == "documented" else free_service_ports()
            while taken & {ports.http, ports.grpc}:
                ports = free_service_ports()
        taken |= {ports.http, ports.grpc}
        chosen[name] = ports
    return chosen


def _documented_http(names: list[str]) -> Iterator[int]:
    worker = _FIRST_WORKER_HTTP
    for name in names:
        if name in _DOCUMENTED_HTTP:
            yield _DOCUMENTED_HTTP[name]
        else:
            yield worker
            worker += 1
