"""The network of apps, shown against decoys: all answer without the rules, only the global one with them."""

import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.images.credentials import RegistryCredentials
from workerpool_worker.adapters.docker.images.store import DockerImages
from workerpool_worker.adapters.docker.network.cleanup import remove_unused_networks
from workerpool_worker.adapters.docker.network.isolated import IsolatedNetwork
from workerpool_worker.adapters.docker.network.probe import NetworkProbe
from workerpool_worker.adapters.nftables import Nftables
from workerpool_worker.adapters.shared_use import SharedUse
from workerpool_worker.domain.containers.app_network import AppNetworkRules
from workerpool_worker.errors import AppNetworkUnsafe

from services.worker.tests.harness import decoys as served
from services.worker.tests.harness.decoys import EVERY, GLOBAL, METADATA, PRIVATE, TCP_PORT
from services.worker.tests.harness.fixtures import MakeNetwork
from services.worker.tests.harness.waiting import Eventually

pytestmark = pytest.mark.skipif(bool(served.why_not()), reason=served.why_not())


@pytest.fixture
def run(docker_client: Any, app_image: str) -> Callable[..., str]:
    """Run a script in a container of a network and return what it prints."""

    def run(network: str, script: str) -> str:
        output: bytes = docker_client.containers.run(
            app_image, ["sh", "-c", script], network=network, cap_drop=["ALL"], remove=True
        )
        return output.decode()

    return run


TRIES = "for try in 1 2 3"
"""Of a shell: a busy machine may answer late, and the engine may just then change the host's routes."""


def answering(run: Callable[..., str], network: str, targets: list[str]) -> set[str]:
    """Return the `address:port` targets that accept a connection from an app."""
    script = "".join(
        f"({TRIES}; do busybox nc -w 2 {target.replace(':', ' ')} </dev/null >/dev/null 2>&1 && "
        f"echo {target} && break; busybox sleep 0.5; done) & "
        for target in targets
    )
    return set(run(network, f"{script} wait").split())


def answers_datagram(run: Callable[..., str], network: str, address: str) -> bool:
    script = (
        f"{TRIES}; do busybox timeout 2 busybox nslookup name.test {address} 2>&1 | busybox grep NXDOMAIN && break; "
        "done; true"
    )
    return "NXDOMAIN" in run(network, script)


async def test_apps_of_a_runtime_with_its_own_kernel_join_the_network_itself(make: MakeNetwork) -> None:
    opened = make(in_sandboxes=False)
    await opened.open()
    try:
        async with opened.place() as mode:
            assert mode == opened.mode
    finally:
        await opened.close()


TARGETS = [f"{address}:{TCP_PORT}" for address in EVERY]


async def test_apps_reach_only_global_addresses(
    network: IsolatedNetwork, rules: AppNetworkRules, decoys: None, run: Callable[..., str]
) -> None:
    """Case app-reaches-pool: metadata, private and special addresses."""
    await Nftables(rules).remove()
    assert answering(run, network.mode, TARGETS) == set(TARGETS)
    assert answers_datagram(run, network.mode, METADATA)
    network.forget_check()
    await network.ensure()
    assert answering(run, network.mode, TARGETS) == {f"{GLOBAL}:{TCP_PORT}"}
    assert not answers_datagram(run, network.mode, METADATA)
    assert answers_datagram(run, network.mode, GLOBAL)


async def test_apps_reach_no_port_of_the_host(
    network: IsolatedNetwork, rules: AppNetworkRules, docker_client: Any, run: Callable[..., str]
) -> None:
    """Case app-reaches-pool: the pool's ports, on the bridge gateway and on every other address of the host."""
    addresses = {str(address) for address in _host_addresses()}
    with socket.create_server(("0.0.0.0", 0), backlog=64) as pool:
        accepting = threading.Thread(target=_accept, args=(pool,), daemon=True)
        accepting.start()
        targets = [f"{address}:{pool.getsockname()[1]}" for address in sorted(addresses)]
        await Nftables(rules).remove()
        assert answering(run, network.mode, targets) == set(targets)
        network.forget_check()
        await network.ensure()
        assert answering(run, network.mode, targets) == set()


async def test_a_port_that_another_container_publishes_is_not_reached(
    network: IsolatedNetwork, docker_client: Any, app_image: str, run: Callable[..., str]
) -> None:
    """Case app-reaches-pool, sibling: the engine redirects a published port into another network."""
    server = docker_client.containers.run(
        app_image, ["busybox", "nc", "-ll", "-p", "80", "-e", "true"], ports={"80/tcp": None}, detach=True
    )
    try:
        server.reload()
        port = server.ports["80/tcp"][0]["HostPort"]
        own = f"{server.attrs['NetworkSettings']['IPAddress']}:80"
        with socket.create_connection(("127.0.0.1", int(port)), timeout=5):
            pass
        targets = [own, *(f"{address}:{port}" for address in _host_addresses())]
        assert answering(run, network.mode, targets) == set()
    finally:
        server.remove(force=True)


async def test_apps_do_not_reach_each_other(
    network: IsolatedNetwork, docker_client: Any, app_image: str, run: Callable[..., str]
) -> None:
    """Case app-reaches-pool, sibling: another app of the same host."""
    server = docker_client.containers.run(
        app_image, ["busybox", "nc", "-ll", "-p", "80", "-e", "true"], network=network.mode, detach=True
    )
    try:
        server.reload()
        address = server.attrs["NetworkSettings"]["Networks"][network.mode]["IPAddress"]
        assert server.exec_run(["busybox", "nc", "-w", "3", address, "80"]).exit_code == 0
        assert answering(run, network.mode, [f"{address}:80"]) == set()
    finally:
        server.remove(force=True)


async def test_apps_have_no_ipv6(network: IsolatedNetwork, run: Callable[..., str]) -> None:
    assert "inet6" not in run(network.mode, "ip -6 address show dev eth0")


@pytest.mark.parametrize("rules", [{"allowed": [PRIVATE[0]]}], indirect=True)
async def test_an_operator_can_open_a_private_network(
    network: IsolatedNetwork, decoys: None, run: Callable[..., str]
) -> None:
    expected = {f"{PRIVATE[0]}:{TCP_PORT}", f"{GLOBAL}:{TCP_PORT}"}
    assert answering(run, network.mode, TARGETS) == expected


async def test_apps_reach_only_port_53_of_the_hosts_name_server(
    make: MakeNetwork, rules: AppNetworkRules, decoys: None, run: Callable[..., str]
) -> None:
    network = make(rules=AppNetworkRules(rules.allowed, (IPv4Address(METADATA),)))
    await network.open()
    try:
        assert answers_datagram(run, network.mode, METADATA)
        assert answering(run, network.mode, TARGETS) == {f"{GLOBAL}:{TCP_PORT}"}
    finally:
        await network.close()


async def test_lost_rules_are_restored_while_apps_run(
    network: IsolatedNetwork, rules: AppNetworkRules, eventually: Eventually
) -> None:
    async with network.in_use():
        await Nftables(rules).remove()
        await eventually(lambda: _table_exists(rules.table))


async def test_rules_that_cannot_be_restored_stop_new_apps_and_show_in_health(
    make: MakeNetwork, rules: AppNetworkRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    network = make(on_safety=told.append)
    await network.open()
    try:
        await Nftables(rules).remove()
        network.forget_check()
        with monkeypatch.context() as patched:
            patched.setattr("workerpool_worker.adapters.nftables.shutil.which", lambda *_, **__: None)
            with pytest.raises(Exception, match="are lost and cannot be set"):
                await network.ensure()
        assert "nft is missing" in told[-1]
        await network.ensure()
        assert told[-1] == ""
    finally:
        await network.close()


async def test_the_last_worker_of_a_host_removes_the_network(
    make: MakeNetwork, rules: AppNetworkRules, docker_client: Any, tmp_path: Path
) -> None:
    first, second = make(), make(shared=SharedUse(tmp_path, rules.network))
    await first.open()
    await second.open()
    assert len(docker_client.networks.list(names=[rules.network])) == 1
    await first.close()
    assert docker_client.networks.list(names=[rules.network])
    assert _table_exists(rules.table)
    await second.close()
    assert not docker_client.networks.list(names=[rules.network])
    assert not _table_exists(rules.table)


async def test_a_killed_workers_network_is_removed_by_the_next_one(
    make: MakeNetwork,
    rules: AppNetworkRules,
    connection: DockerConnection,
    docker_client: Any,
    tmp_path: Path,
) -> None:
    own, other = SharedUse(tmp_path, rules.network), AppNetworkRules(resolvers=rules.resolvers).network
    killed = make(shared=own)
    await killed.open()
    await remove_unused_networks(connection, tmp_path, other, label=rules.network)
    assert docker_client.networks.list(names=[rules.network]), "its worker lives"
    own.leave()  # What the kernel does when a process is killed.
    await remove_unused_networks(connection, tmp_path, other, label=rules.network)
    assert not docker_client.networks.list(names=[rules.network])
    assert not _table_exists(rules.table)


async def test_a_lost_network_is_created_again(
    network: IsolatedNetwork, rules: AppNetworkRules, docker_client: Any
) -> None:
    docker_client.networks.get(rules.network).remove()
    network.forget_check()
    await network.ensure()
    assert docker_client.networks.list(names=[rules.network])


# --- where the worker cannot set the rules -----------------------------------


@pytest.fixture
def without_nft(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workerpool_worker.adapters.nftables.shutil.which", lambda *_, **__: None)


@pytest.fixture
def probe(connection: DockerConnection, app_image: str) -> NetworkProbe:
    return NetworkProbe(
        connection,
        DockerImages(connection, RegistryCredentials({})),
        app_image,
        (),
        label={"workerpool.test": "1"},
    )


async def test_without_rules_and_probe_the_worker_does_not_start(
    make: MakeNetwork, rules: AppNetworkRules, without_nft: None, docker_client: Any, tmp_path: Path
) -> None:
    with pytest.raises(AppNetworkUnsafe, match=r"nft is missing.*nft -f .*app-network\.nft.*'none'"):
        await make().open()
    assert rules.table in (tmp_path / "app-network.nft").read_text()
    assert not docker_client.networks.list(names=[rules.network])


async def test_a_probe_finds_missing_rules(
    make: MakeNetwork, rules: AppNetworkRules, without_nft: None, probe: NetworkProbe, docker_client: Any
) -> None:
    with pytest.raises(AppNetworkUnsafe, match=r"an app reaches .*\.1:1, "):
        await make(probe=probe).open()
    assert not docker_client.networks.list(names=[rules.network])


async def test_rules_that_an_operator_has_set_are_proven(
    make: MakeNetwork, rules: AppNetworkRules, without_nft: None, probe: NetworkProbe, tmp_path: Path
) -> None:
    with pytest.raises(AppNetworkUnsafe):
        await make().open()
    _nft("-f", str(tmp_path / "app-network.nft"))
    try:
        network = make(probe=probe)
        await network.open()
        await network.close()
    finally:
        for family in ("inet", "bridge"):
            with suppress(subprocess.CalledProcessError):
                _nft("delete", "table", family, rules.table)


async def test_an_image_that_cannot_probe_is_named(make: MakeNetwork, connection: DockerConnection) -> None:
    probe = NetworkProbe(
        connection, DockerImages(connection, RegistryCredentials({})), "127.0.0.1:9/no:1", (), label={}
    )
    with pytest.raises(AppNetworkUnsafe, match="NETWORK_PROBE_IMAGE"):
        await make(probe=probe).open()


async def test_an_engine_on_another_host_needs_a_probe(
    make: MakeNetwork, connection: DockerConnection, monkeypatch: pytest.MonkeyPatch, rules: AppNetworkRules
) -> None:
    monkeypatch.setattr(DockerConnection, "is_local", False)
    with pytest.raises(AppNetworkUnsafe, match="on another host"):
        await make().open()
    assert not _table_exists(rules.table)


def _host_addresses() -> list[str]:
    listing = subprocess.run(["hostname", "-I"], check=True, capture_output=True, text=True).stdout.split()
    return [address for address in listing if ":" not in address]


def _accept(server: socket.socket) -> None:
    with suppress(OSError):
        while True:
            server.accept()[0].close()


def _nft(*arguments: str) -> None:
    subprocess.run(["/usr/sbin/nft", *arguments], check=True, capture_output=True)


def _table_exists(table: str) -> bool:
    with suppress(subprocess.CalledProcessError):
        _nft("list", "table", "inet", table)
        return True
    return False
