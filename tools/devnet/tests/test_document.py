import stat
from pathlib import Path

import pytest
from workerpool_devnet.document import RunningPool, check_place, describe, write_atomically
from workerpool_devnet.errors import OptionsError
from workerpool_devnet.market import accounts
from workerpool_devnet.market.deployment import Contracts
from workerpool_devnet.processes.ports import ServicePorts
from workerpool_devnet.processes.process import ManagedProcess
from workerpool_devnet.services.plan import ServiceSpec
from workerpool_devnet.services.service import Service


def test_the_document_replaces_the_old_one_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "devnet.json"
    path.write_text("old")
    write_atomically(path, {"rpc": "http://127.0.0.1:1"})
    assert path.read_text() == '{\n  "rpc": "http://127.0.0.1:1"\n}\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["devnet.json"]


def test_the_document_of_another_devnet_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "devnet.json"
    check_place(path)
    path.write_text("another devnet's")
    with pytest.raises(OptionsError, match="exists: another devnet"):
        check_place(path)
    other = tmp_path / "chain.json"
    check_place(other, [tmp_path / "keystore"])
    other.touch()
    with pytest.raises(OptionsError, match=r"chain\.json exists"):
        check_place(tmp_path / "new.json", [path.with_name("missing"), other])


def test_a_document_in_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match="create the folder"):
        check_place(tmp_path / "nowhere" / "devnet.json")


def test_the_document_names_accounts_and_started_services(tmp_path: Path) -> None:
    def service(name: str, port: int, *, speaks_grpc: bool = True) -> Service:
        spec = ServiceSpec(name, "workerpool_core", ServicePorts(port, port + 10_000), {}, speaks_grpc)
        return Service(spec, ManagedProcess(name, ["true"], log=tmp_path / f"{name}.log"))

    core, worker = service("core", 13000), service("worker-1", 13100)
    market = service("market", 14000, speaks_grpc=False)
    core.start()
    market.start()
    requester = accounts.derive("requester", "seed")
    document = describe(
        RunningPool(
            rpc="http://127.0.0.1:8545",
            chain_id=65535,
            block_time=0,
            trust=1,
            contracts=Contracts("0x1", "0x2", "0x3", "0x4", "0x5"),
            workerpool="0x6",
            accounts={"requester": requester},
            private_keys={"requester": accounts.private_key("requester", "seed")},
            services=[core, market, worker],
            database_uri="mongodb://127.0.0.1",
            databases={"core": "workerpool_core"},
            sdk={"password": "secret"},
        )
    )
    assert document["flavour"] == "token"
    assert document["registries"] == {"app": "0x3", "dataset": "0x4", "workerpool": "0x5"}
    assert document["categories"]["XS"] == {"id": 0, "workClockTime": 300}
    assert document["accounts"]["requester"]["address"] == requester.address
    assert document["services"] == {
        "core": {
            "grpc": "127.0.0.1:23000",
            "http": "http://127.0.0.1:13000",
            "pid": core.pid,
            "log": str(tmp_path / "core.log"),
        },
        "market": {
            "http": "http://127.0.0.1:14000",
            "pid": market.pid,
            "log": str(tmp_path / "market.log"),
        },
    }
    assert document["market"] == "http://127.0.0.1:14000"
    assert document["sdk"] == {"password": "secret"}
    for started in (core, market):
        started.process.wait(10)
