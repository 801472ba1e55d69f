import socket
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from workerpool_chain_adapter.settings import ChainAdapterSettings
from workerpool_core.settings import CoreSettings
from workerpool_devnet.errors import OptionsError
from workerpool_devnet.market import accounts
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.order_book.settings import OrderBookSettings
from workerpool_devnet.processes.ports import free_service_ports, is_free
from workerpool_devnet.services.plan import ServicePlan, ServiceSpec, Surroundings
from workerpool_kit.settings.base import Settings
from workerpool_kit.settings.environment import load
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_order_publisher.settings import OrderPublisherSettings
from workerpool_poco.chain.wallet import Wallet
from workerpool_registry.composition import open_platform
from workerpool_registry.settings import RegistrySettings
from workerpool_result_proxy.settings import ResultProxySettings
from workerpool_worker.settings import WorkerSettings

AROUND = Surroundings(
    rpc="http://127.0.0.1:1",
    anvil="http://127.0.0.1:2",
    chain_id=65535,
    free_gas=False,
    hub="0x5FC8d32690cc91D4c39d9d3abcBD16989F875707",
    workerpool="0x5FbDB2315678afecb367f032d93F642f64180aa3",
    block_time=0,
    mongo_uri="mongodb://user:pass-word@127.0.0.1/",
    databases={name: f"db_{name}" for name in ("chain_adapter", "result_proxy", "core", "sms")},
)


def specs(
    folder: Path, options: DevnetOptions | None = None, around: Surroundings = AROUND
) -> dict[str, ServiceSpec]:
    workers = [accounts.derive("worker-1"), accounts.derive("worker-2")]
    plan = ServicePlan(folder, options or DevnetOptions(), accounts.derive("poolOwner"), workers)
    return {spec.name: spec for spec in plan.specs(around)}


def test_every_service_is_a_process_with_distinct_ports(tmp_path: Path) -> None:
    found = specs(tmp_path)
    services = ["registry", "chain_adapter", "result_proxy", "core", "sms", "market", "order_publisher"]
    assert list(found) == [*services, "worker-1", "worker-2"]
    assert found["worker-2"].command[1:] == ["-m", "workerpool_worker"]
    ports = [port for spec in found.values() for port in (spec.ports.http, spec.ports.grpc)]
    assert len(set(ports)) == len(ports)


def test_clients_are_configured_with_the_urls_of_their_servers(tmp_path: Path) -> None:
    found = specs(tmp_path)
    core = found["core"].environment
    assert core["IEXEC_CORE_CHAIN_ADAPTER_URL"] == found["chain_adapter"].http
    assert core["IEXEC_CONFIG_SERVER_URL"] == found["registry"].http
    assert core["IEXEC_CORE_PUBLIC_URL"] == found["core"].http, "the compass answers it"
    assert core["IEXEC_RESULT_REPOSITORY_URL"] == found["result_proxy"].http
    assert found["worker-1"].environment["IEXEC_CORE_URL"] == found["core"].http


@pytest.mark.parametrize(
    ("service", "settings"),
    [
        ("registry", RegistrySettings),
        ("chain_adapter", ChainAdapterSettings),
        ("result_proxy", ResultProxySettings),
        ("core", CoreSettings),
        ("market", OrderBookSettings),
        ("order_publisher", OrderPublisherSettings),
        ("worker-1", WorkerSettings),
    ],
)
def test_every_service_accepts_its_environment(
    tmp_path: Path, service: str, settings: type[Settings]
) -> None:
    spec = specs(tmp_path)[service]
    load(settings, spec.environment)
    assert spec.http.endswith(f":{spec.ports.http}")


def test_the_publisher_sells_on_the_market_as_the_operator_of_core(tmp_path: Path) -> None:
    found = specs(tmp_path)
    publisher, core = found["order_publisher"].environment, found["core"].environment
    assert publisher["MARKET_API_URL"] == found["market"].http
    assert publisher["IEXEC_CORE_URL"] == found["core"].http
    for name in ("IEXEC_CORE_OPERATOR_USERNAME", "IEXEC_CORE_OPERATOR_PASSWORD_FILE"):
        assert publisher[name] == core[name]
    assert publisher["CATEGORY"] == "0,5,6,7"


def test_the_publisher_cancels_orders_of_old_terms_by_the_chain_adapter(tmp_path: Path) -> None:
    found = specs(tmp_path)
    publisher, core = found["order_publisher"].environment, found["core"].environment
    assert publisher["ORDER_PUBLISHER_CHAIN_ADAPTER_URL"] == found["chain_adapter"].http
    for part in ("USERNAME", "PASSWORD_FILE"):
        assert publisher[f"ORDER_PUBLISHER_CHAIN_ADAPTER_{part}"] == core[f"IEXEC_CORE_CHAIN_ADAPTER_{part}"]
    assert publisher["ORDER_PUBLISHER_CANCEL_ON_CHAIN"] == "terms"


def test_an_operator_of_the_options_is_the_one_of_the_publisher(tmp_path: Path) -> None:
    chosen = {"IEXEC_CORE_OPERATOR_USERNAME": "me", "IEXEC_CORE_OPERATOR_PASSWORD": "mine"}
    found = specs(tmp_path, DevnetOptions(environment={"core": chosen}))
    for name in ("core", "order_publisher"):
        environment = found[name].environment
        assert {variable: environment[variable] for variable in chosen} == chosen
        assert "IEXEC_CORE_OPERATOR_PASSWORD_FILE" not in environment


def test_the_default_stack_exists_and_names_no_sms(tmp_path: Path) -> None:
    found = specs(tmp_path)
    assert found["core"].environment["IEXEC_PLATFORM_REGISTRY"] == found["registry"].http
    platform = open_platform(load(RegistrySettings, found["registry"].environment))
    core = load(CoreSettings, found["core"].environment)
    assert platform.stack(core.platform_registry_stack, core.platform_registry_label).sms_locations == {}


def test_the_market_reads_the_chain_itself(tmp_path: Path) -> None:
    market = specs(tmp_path)["market"]
    assert market.environment["IEXEC_BLOCKCHAIN_NODE_ADDRESS"] == AROUND.anvil
    assert market.grpc == ""
    assert market.command[1:] == ["-m", "workerpool_devnet.order_book"]


def test_key_stores_open_with_their_password_files(tmp_path: Path) -> None:
    environment = specs(tmp_path)["worker-2"].environment
    password = Path(environment["IEXEC_WORKER_WALLET_PASSWORD_FILE"]).read_text()
    wallet = Wallet.from_keystore(environment["IEXEC_WORKER_WALLET_PATH"], password)
    assert wallet.address == accounts.derive("worker-2").address


def test_secrets_are_only_in_files_of_mode_0600(tmp_path: Path) -> None:
    found = specs(tmp_path)
    files = list((tmp_path / "secrets").iterdir())
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    secrets = [path.read_text() for path in files]
    visible = [value for spec in found.values() for value in spec.environment.values()]
    assert not [value for value in visible for secret in secrets if secret in value]


def test_settings_of_another_pool_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IEXEC_WORKERS_WHITELIST", "0x0")
    monkeypatch.setenv("UNRELATED", "stays")
    core = specs(tmp_path)["core"].environment
    assert "IEXEC_WORKERS_WHITELIST" not in core
    assert core["UNRELATED"] == "stays"


def test_additional_environment_reaches_one_worker_or_all(tmp_path: Path) -> None:
    options = DevnetOptions(environment={"worker": {"A": "all"}, "worker-2": {"B": "one"}})
    found = specs(tmp_path, options)
    assert [found[name].environment.get("A") for name in ("worker-1", "worker-2", "core")] == [
        "all",
        "all",
        None,
    ]
    assert [found[name].environment.get("B") for name in ("worker-1", "worker-2")] == [None, "one"]


def test_a_pool_on_a_free_chain_pays_nothing_for_gas(tmp_path: Path) -> None:
    found = specs(tmp_path, around=replace(AROUND, free_gas=True, chain_id=134))
    for name in ("registry", "chain_adapter"):
        assert found[name].environment["IEXEC_IS_SIDECHAIN"] == "true"
    for name in ("chain_adapter", "worker-1"):
        assert found[name].environment["IEXEC_GAS_PRICE_MULTIPLIER"] == "0"
        assert found[name].environment["IEXEC_GAS_PRICE_CAP"] == "0"
    assert found["core"].environment["IEXEC_GAS_PRICE_CAP"] == "0"


@pytest.mark.parametrize(
    ("seconds", "setting"), [(0, "PT0.1S"), (0.25, "PT0.25S"), (5, "PT5S"), (1.0, "PT1S")]
)
def test_services_are_configured_with_the_block_time(tmp_path: Path, seconds: float, setting: str) -> None:
    found = specs(tmp_path, around=replace(AROUND, block_time=seconds))
    assert found["chain_adapter"].environment["IEXEC_BLOCK_TIME"] == setting


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    base = free_service_ports().http
    with (
        socket.create_server(("127.0.0.1", base)),
        pytest.raises(OptionsError, match=f"port {base} for registry is in use"),
    ):
        specs(tmp_path, DevnetOptions(ports=base))


def test_a_first_port_gives_consecutive_ports(tmp_path: Path) -> None:
    base = next(first for first in range(15000, 22000, 10) if all(map(free, range(first, first + 9))))
    found = specs(tmp_path, DevnetOptions(ports=base))
    assert found["registry"].http == f"http://127.0.0.1:{base}"
    assert found["worker-2"].grpc == f"127.0.0.1:{base + 8 + GRPC_PORT_OFFSET}"


def free(http: int) -> bool:
    return is_free(http) and is_free(http + GRPC_PORT_OFFSET)
