import socket
import stat
from pathlib import Path

import pytest
from workerpool_devnet.errors import OptionsError
from workerpool_devnet.market import accounts
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.ports import free_service_ports, is_free
from workerpool_devnet.services.plan import ServicePlan, ServiceSpec, Surroundings
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.chain.wallet import Wallet

AROUND = Surroundings(
    rpc="http://127.0.0.1:1",
    chain_id=65535,
    hub="0x5FC8d32690cc91D4c39d9d3abcBD16989F875707",
    workerpool="0x5FbDB2315678afecb367f032d93F642f64180aa3",
    block_time=0,
    mongo_uri="mongodb://user:pass-word@127.0.0.1/",
    databases={name: f"db_{name}" for name in ("chain_adapter", "result_proxy", "core")},
)


def specs(folder: Path, options: DevnetOptions | None = None) -> dict[str, ServiceSpec]:
    workers = [accounts.derive("worker-1"), accounts.derive("worker-2")]
    plan = ServicePlan(folder, options or DevnetOptions(), accounts.derive("poolOwner"), workers)
    return {spec.name: spec for spec in plan.specs(AROUND)}


def test_every_service_is_a_process_with_distinct_ports(tmp_path: Path) -> None:
    found = specs(tmp_path)
    assert list(found) == ["registry", "chain_adapter", "result_proxy", "core", "worker-1", "worker-2"]
    assert found["worker-2"].command[1:] == ["-m", "workerpool_worker"]
    ports = [port for spec in found.values() for port in (spec.ports.http, spec.ports.grpc)]
    assert len(set(ports)) == len(ports)


def test_clients_are_configured_with_the_urls_of_their_servers(tmp_path: Path) -> None:
    found = specs(tmp_path)
    core = found["core"].environment
    assert core["IEXEC_CORE_CHAIN_ADAPTER_URL"] == found["chain_adapter"].http
    assert core["IEXEC_CONFIG_SERVER_URL"] == found["registry"].http
    assert core["IEXEC_RESULT_REPOSITORY_URL"] == found["result_proxy"].http
    assert found["worker-1"].environment["IEXEC_CORE_URL"] == found["core"].http


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


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    base = free_service_ports().http
    with (
        socket.create_server(("127.0.0.1", base)),
        pytest.raises(OptionsError, match=f"port {base} for registry is in use"),
    ):
        specs(tmp_path, DevnetOptions(ports=base))


def test_a_first_port_gives_consecutive_ports(tmp_path: Path) -> None:
    base = next(first for first in range(15000, 22000, 10) if all(map(free, range(first, first + 6))))
    found = specs(tmp_path, DevnetOptions(ports=base))
    assert found["registry"].http == f"http://127.0.0.1:{base}"
    assert found["worker-2"].grpc == f"127.0.0.1:{base + 5 + GRPC_PORT_OFFSET}"


def free(http: int) -> bool:
    return is_free(http) and is_free(http + GRPC_PORT_OFFSET)
