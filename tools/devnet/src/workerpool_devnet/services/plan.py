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
from workerpool_devnet.services.app_network import app_network

_DOCUMENTED_HTTP = {
    "registry": 8888,
    "chain_adapter": 13010,
    "result_proxy": 13200,
    "core": 13000,
    "sms": 13300,
    "order_publisher": 13400,
    # None is documented: any free port.
    "market": 0,
}
SDK_SERVICES = ("sms", "market", "order_publisher")
"""Services that only requesters with an SDK need."""
OFFERED_CATEGORIES = (0, 5, 6, 7)
"""Categories that the pool sells on the market: the shortest one and those for tests."""
_MODULES = {"market": "workerpool_devnet.order_book"}
"""Service → module, where the name does not give it."""
_FIRST_WORKER_HTTP = 13100
_CLEARED_PREFIXES = (
    *("IEXEC_", "MONGO_", "WORKERPOOL_", "POOL_ADDRESS", "CHAIN_", "REVEAL_"),
    *("ORDER_PUBLISHER_", "MARKET_"),
)
_CLEARED_NAMES = {
    *("CATEGORY", "TAG", "TRUST", "VOLUME", "PUBLISH_PERIOD", "CHECK_SLEEP_TIME", "MAX_ORDER_NUMBER"),
    *("IS_GPU_POOL", "SPRING_PROFILES_ACTIVE"),
}
"""Names of the order publisher and the SMS without a prefix."""
_ADAPTER_USER = "core"
_OPERATOR = ("IEXEC_CORE_OPERATOR_USERNAME", "IEXEC_CORE_OPERATOR_PASSWORD")
_PLATFORM_FILE = """\
# The default stack of the platform registry. It names no SMS: a line `sms.tdx: http://…` would make this pool accept
# tasks of that framework, and no worker of a devnet can compute them.
"""


@dataclass(frozen=True)
class ServiceSpec:
    """One process to start: `python -m module` with exactly this environment."""

    name: str
    module: str
    ports: ServicePorts
    environment: dict[str, str]
    speaks_grpc: bool = True

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
        """gRPC target for a channel or grpcurl; empty for a service without gRPC."""
        return f"127.0.0.1:{self.ports.grpc}" if self.speaks_grpc else ""


@dataclass(frozen=True)
class Surroundings:
    """The chain and the database that the services use."""

    rpc: str
    """JSON-RPC address that the services use."""
    anvil: str
    """JSON-RPC address of the chain itself."""
    chain_id: int
    free_gas: bool
    hub: Address
    workerpool: Address
    block_time: float
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
        self._operator = self._operator_account()
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
            ("sms", self._sms(around) | self._database("sms", mongo, around)),
            ("market", self._market(around)),
            ("order_publisher", self._order_publisher(around)),
            *(
                (f"worker-{number}", self._worker(number, around))
                for number in range(1, len(self.workers) + 1)
            ),
        ]
        return [self._spec(name, environment, around) for name, environment in plain]

    def _spec(self, name: str, environment: dict[str, str], around: Surroundings) -> ServiceSpec:
        kind = name.partition("-")[0]
        extra = {**self.options.environment.get(kind, {}), **self.options.environment.get(name, {})}
        speaks_grpc = name != "market"
        if speaks_grpc:
            environment["WORKERPOOL_GRPC_PORT"] = str(self.ports[name].grpc)
        environment["POOL_ADDRESS"] = around.workerpool
        environment["TMPDIR"] = str(self.folder / name)  # removed with the run folder
        for variable in extra:
            # A secret may be set directly or by a file, not both.
            environment.pop(f"{variable}_FILE", None)
        module = _MODULES.get(kind, f"workerpool_{kind}")
        complete = _cleaned_environment() | environment | extra
        return ServiceSpec(name, module, self.ports[name], complete, speaks_grpc)

    def _registry(self, around: Surroundings) -> dict[str, str]:
        platform = self.folder / "platform"
        platform.mkdir(exist_ok=True)
        (platform / "application.yml").write_text(_PLATFORM_FILE)
        return {
            "IEXEC_CONFIG_SERVER_PORT": self._port("registry"),
            "IEXEC_PLATFORM_REGISTRY_DIR": str(platform),
            **_chain(around),
        }

    def _chain_adapter(self, around: Surroundings) -> dict[str, str]:
        wallet, password = self._pool_wallet
        return {
            "IEXEC_BLOCKCHAIN_ADAPTER_API_PORT": self._port("chain_adapter"),
            "IEXEC_BLOCKCHAIN_ADAPTER_API_USERNAME": _ADAPTER_USER,
            "IEXEC_BLOCKCHAIN_ADAPTER_API_PASSWORD_FILE": self._adapter_password,
            "IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET_PATH": wallet,
            "IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET_PASSWORD_FILE": password,
            **_chain(around),
            **_price(around),
        }

    def _result_proxy(self, around: Surroundings) -> dict[str, str]:
        return {
            "IEXEC_RESULT_PROXY_PORT": self._port("result_proxy"),
            "IEXEC_RESULT_PROXY_PUBLIC_URL": self.url("result_proxy"),
            **_chain(around),
        }

    def _core(self, around: Surroundings) -> dict[str, str]:
        wallet, password = self._pool_wallet
        return {
            "IEXEC_CORE_PORT": self._port("core"),
            "IEXEC_CORE_PUBLIC_URL": self.url("core"),
            "IEXEC_CORE_WALLET_PATH": wallet,
            "IEXEC_CORE_WALLET_PASSWORD_FILE": password,
            "IEXEC_BLOCKCHAIN_NODE_ADDRESS": around.rpc,
            "IEXEC_CORE_CHAIN_ADAPTER_URL": self.url("chain_adapter"),
            "IEXEC_CORE_CHAIN_ADAPTER_USERNAME": _ADAPTER_USER,
            "IEXEC_CORE_CHAIN_ADAPTER_PASSWORD_FILE": self._adapter_password,
            "IEXEC_CONFIG_SERVER_URL": self.url("registry"),
            "IEXEC_PLATFORM_REGISTRY": self.url("registry"),
            "IEXEC_RESULT_REPOSITORY_URL": self.url("result_proxy"),
            **self._operator,
            **({"IEXEC_GAS_PRICE_CAP": "0"} if around.free_gas else {}),
        }

    def _sms(self, around: Surroundings) -> dict[str, str]:
        own = self.folder / "sms"
        return {
            "IEXEC_SMS_PORT": self._port("sms"),
            "IEXEC_SMS_PUBLIC_URL": self.url("sms"),
            "IEXEC_SMS_STORAGE_ENCRYPTION_AES_KEY_PATH": str(own / "aes.key"),
            "IEXEC_SMS_ADMIN_STORAGE_LOCATION": str(own / "backup"),
            **_hub(around),
        }

    def _market(self, around: Surroundings) -> dict[str, str]:
        return {
            "WORKERPOOL_DEVNET_MARKET_PORT": self._port("market"),
            "WORKERPOOL_DEVNET_MARKET_JOURNAL": str(self.folder / "market" / "orders"),
            **_hub(around),
            # Anvil itself: the market reads all logs in one range, which a proxy before it may refuse.
            "IEXEC_BLOCKCHAIN_NODE_ADDRESS": around.anvil,
        }

    def _order_publisher(self, around: Surroundings) -> dict[str, str]:
        wallet, password = self._pool_wallet
        return {
            "ORDER_PUBLISHER_PORT": self._port("order_publisher"),
            "ORDER_PUBLISHER_WALLET_PATH": wallet,
            "ORDER_PUBLISHER_WALLET_PASSWORD_FILE": password,
            "ORDER_PUBLISHER_JOURNAL": str(self.folder / "order_publisher" / "orders.sqlite"),
            "IEXEC_CONFIG_SERVER_URL": self.url("registry"),
            "IEXEC_PLATFORM_REGISTRY": self.url("registry"),
            "IEXEC_BLOCKCHAIN_NODE_ADDRESS": around.rpc,
            "MARKET_API_URL": self.url("market"),
            "IEXEC_CORE_URL": self.url("core"),
            **self._operator,
            "ORDER_PUBLISHER_CHAIN_ADAPTER_URL": self.url("chain_adapter"),
            "ORDER_PUBLISHER_CHAIN_ADAPTER_USERNAME": _ADAPTER_USER,
            "ORDER_PUBLISHER_CHAIN_ADAPTER_PASSWORD_FILE": self._adapter_password,
            # The requester's tools may use the same wallet: no transaction but for a change of terms.
            "ORDER_PUBLISHER_CANCEL_ON_CHAIN": "terms",
            "CATEGORY": ",".join(map(str, OFFERED_CATEGORIES)),
            "PUBLISH_PERIOD": "PT0S",
        }

    def _operator_account(self) -> dict[str, str]:
        """Return the credentials of core's operator, which the publisher needs: those of the options or new ones."""
        chosen = self.options.environment.get("core", {})
        if found := {name: chosen[name] for name in _OPERATOR if name in chosen}:
            return found
        user, password = _OPERATOR
        return {
            user: "operator",
            f"{password}_FILE": self._secret("operator-password", secrets.token_urlsafe(24)),
        }

    def _worker(self, number: int, around: Surroundings) -> dict[str, str]:
        name = f"worker-{number}"
        wallet, password = self._worker_wallets[number - 1]
        return {
            "IEXEC_WORKER_PORT": self._port(name),
            "IEXEC_WORKER_NAME": name,
            "IEXEC_CORE_URL": self.url("core"),
            "IEXEC_WORKER_BASE_DIR": str(self.folder / name),
            "IEXEC_WORKER_OVERRIDE_AVAILABLE_CPU_COUNT": str(self.options.cpus_per_worker),
            "IEXEC_WORKER_OVERRIDE_BLOCKCHAIN_NODE_ADDRESS": around.rpc,
            "IEXEC_WORKER_WALLET_PATH": wallet,
            "IEXEC_WORKER_WALLET_PASSWORD_FILE": password,
            "WORKERPOOL_WORKER_APP_NETWORK": app_network(),
            # The input files of the demo and the tests are served on this machine.
            "WORKERPOOL_WORKER_DOWNLOAD_ALLOWED_HOSTS": "127.0.0.1/32",
            **_price(around),
        }

    def _database(self, name: str, mongo_uri_file: str, around: Surroundings) -> dict[str, str]:
        return {"MONGO_URI_FILE": mongo_uri_file, "MONGO_DATABASE": around.databases[name]}

    def _port(self, name: str) -> str:
        return str(self.ports[name].http)

    def url(self, name: str) -> str:
        """Return the HTTP address of a service."""
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


def _hub(around: Surroundings) -> dict[str, str]:
    return {
        "IEXEC_CHAIN_ID": str(around.chain_id),
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS": around.rpc,
        "IEXEC_HUB_ADDRESS": around.hub,
    }


def _chain(around: Surroundings) -> dict[str, str]:
    return {
        **_hub(around),
        # The services accept 100 ms or more; it stands for instant mining.
        "IEXEC_BLOCK_TIME": f"PT{around.block_time:g}S" if around.block_time else "PT0.1S",
        "IEXEC_IS_SIDECHAIN": str(around.free_gas).lower(),
    }


def _price(around: Surroundings) -> dict[str, str]:
    """Return the offers of a pool on a chain with free gas, as published for Bellecour; else the defaults."""
    return {"IEXEC_GAS_PRICE_MULTIPLIER": "0", "IEXEC_GAS_PRICE_CAP": "0"} if around.free_gas else {}


def _cleaned_environment() -> dict[str, str]:
    """Return the own environment without the settings of any pool."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_CLEARED_PREFIXES) and name not in _CLEARED_NAMES
    }
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
            port = next(documented)
            ports = documented_or_free(port) if wish == "documented" and port else free_service_ports()
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
