"""The network of apps follows the settings."""

import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs
from workerpool_kit.health import Health
from workerpool_kit.process import StartupError
from workerpool_worker import container_host
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.docker.network.isolated import IsolatedNetwork
from workerpool_worker.adapters.docker.network.kinds import NamedNetwork
from workerpool_worker.adapters.shared_use import SharedUse
from workerpool_worker.container_host import (
    divide_host,
    find_gpus,
    open_engine,
    open_network,
    processor_count,
)
from workerpool_worker.domain.containers.app_network import AppNetworkRules
from workerpool_worker.domain.containers.division import HostDivision
from workerpool_worker.domain.containers.engine_host import EngineHost
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.doubles.stored_engine import running_engine
from services.worker.tests.harness import decoys
from services.worker.tests.harness.gpus import LISTED, install_listing
from services.worker.tests.test_startup import settings

POOL = ["http://127.0.0.1:13000", "http://192.0.2.9:8545", "http://no-such-host.invalid:1"]


async def test_a_named_network_is_used_as_it_is(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        for name in ("none", "bridge"):
            chosen = settings(tmp_path, WORKERPOOL_WORKER_APP_NETWORK=name)
            network = await open_network(chosen, "0x1", POOL, Health(), stack)
            assert isinstance(network, NamedNetwork)
            async with network.in_use(), network.place() as mode:
                assert mode == name


@pytest.mark.skipif(bool(decoys.why_not()), reason=decoys.why_not())
async def test_the_isolated_network_is_opened_and_closed(
    tmp_path: Path, docker_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "resolv.conf"
    own.write_text("nameserver 10.99.88.77\n")
    monkeypatch.setattr(container_host, "_RESOLV_CONF", own)
    chosen, health = settings(tmp_path), Health()
    async with AsyncExitStack() as stack:
        network = await open_network(chosen, "0x1", POOL, health, stack)
        assert isinstance(network, IsolatedNetwork)
        assert docker_client.networks.list(names=[network.mode])
        assert health.snapshot()["components"]["app_network"]["status"] == "UP"
        assert network.mode != AppNetworkRules().network
    assert not docker_client.networks.list(names=[network.mode])


@pytest.mark.usefixtures("docker_client")
async def test_a_worker_that_cannot_close_its_host_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workerpool_worker.adapters.nftables.shutil.which", lambda *_, **__: None)
    chosen = settings(tmp_path)
    chosen.folder.mkdir(parents=True)
    async with AsyncExitStack() as stack:
        with pytest.raises(StartupError, match=r"WORKERPOOL_WORKER_APP_NETWORK to 'none'"):
            await open_network(chosen, "0x1", POOL, Health(), stack)


def test_only_addresses_that_apps_must_not_reach_are_probed() -> None:
    targets = container_host._private_targets(
        [*POOL, "https://1.1.1.1", "http://10.0.0.9"], AppNetworkRules()
    )
    assert targets == ["10.0.0.9:10080", "10.0.0.9:80", "192.0.2.9:18545", "192.0.2.9:8545"]


class Divided:
    """An engine that keeps how it is divided."""

    def __init__(self, *, is_local: bool) -> None:
        self.is_local = is_local
        self.division = HostDivision()

    def divide(self, division: HostDivision, gpu_use: SharedUse) -> None:
        self.division = division


def divided(
    settings: WorkerSettings,
    *,
    slots: int = 1,
    gpus: tuple[str, ...] = (),
    is_local: bool = True,
    default_runtime: str = "runc",
) -> HostDivision:
    """Return how a host of two processors is divided."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    engine = Divided(is_local=is_local)
    host = EngineHost(1 << 30, 2, frozenset({"runc", "runsc"}), default_runtime)
    divide_host(cast(DockerEngine, engine), settings, host, slots, gpus)
    return engine.division


@pytest.fixture
def three_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process use the processors 4, 5 and 9 only."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {4, 5, 9})


@pytest.mark.usefixtures("three_processors")
def test_apps_get_processors_that_the_worker_may_use(tmp_path: Path) -> None:
    chosen = settings(tmp_path, WORKERPOOL_WORKER_APP_CPU_SETS="true")
    assert processor_count(chosen) == 3
    assert divided(chosen, slots=3).processors == ("9", "5", "4")
    assert divided(chosen, slots=2, is_local=False).processors == ("1", "0")
    assert processor_count(settings(tmp_path)) == os.cpu_count()
    assert divided(settings(tmp_path)).processors == ()


@pytest.mark.usefixtures("three_processors")
def test_more_slots_than_processors_are_reported(tmp_path: Path) -> None:
    chosen = settings(tmp_path, WORKERPOOL_WORKER_APP_CPU_SETS="true")
    with capture_logs() as lines:
        assert divided(chosen, slots=4).processors == ()
    assert "cpu_sets.disabled" in [line["event"] for line in lines]


def test_apps_get_the_runtime_and_the_gpus(tmp_path: Path) -> None:
    chosen = settings(tmp_path, IEXEC_WORKER_CONTAINER_RUNTIME="runc")
    assert divided(chosen, gpus=("0", "1")) == HostDivision("runc", (), ("0", "1"))


def test_a_runtime_with_its_own_kernel_gets_the_name_servers_of_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "resolv.conf"
    own.write_text("search lan\nnameserver 127.0.0.1\nnameserver 10.0.0.1\nnameserver 8.8.8.8\n")
    monkeypatch.setattr(container_host, "_RESOLV_CONF", own)
    chosen = settings(tmp_path, IEXEC_WORKER_CONTAINER_RUNTIME="runsc")
    found = divided(chosen).resolv_conf
    assert found is not None
    assert found.read_text() == "nameserver 10.0.0.1\nnameserver 8.8.8.8\n"
    assert divided(settings(tmp_path), default_runtime="runsc").resolv_conf == found
    assert divided(settings(tmp_path)).resolv_conf is None
    bridge = {"WORKERPOOL_WORKER_APP_NETWORK": "bridge", "IEXEC_WORKER_CONTAINER_RUNTIME": "runsc"}
    assert divided(settings(tmp_path, **bridge)).resolv_conf is None
    own.write_text("nameserver 127.0.0.1\n")
    assert divided(chosen).resolv_conf is None


async def test_gpus_are_those_of_the_settings_or_those_of_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_listing(tmp_path, monkeypatch)
    assert await find_gpus(settings(tmp_path)) == ()
    assert await find_gpus(settings(tmp_path, IEXEC_WORKER_GPU_ENABLED="true")) == LISTED
    named = settings(tmp_path, IEXEC_WORKER_GPU_ENABLED="true", WORKERPOOL_WORKER_GPU_IDS="3")
    assert await find_gpus(named) == ("3",)


async def test_gpus_that_are_missing_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with capture_logs() as lines:
        assert await find_gpus(settings(tmp_path, IEXEC_WORKER_GPU_ENABLED="true")) == ()
    (line,) = [line for line in lines if line["event"] == "gpu.not_found"]
    assert line["reason"] == "no GPU is found on this host"


async def test_an_engine_takes_the_limits_of_the_settings(tmp_path: Path) -> None:
    chosen = settings(
        tmp_path, WORKERPOOL_WORKER_APP_DISK_BYTES="1048576", WORKERPOOL_WORKER_DISK_FLOOR_BYTES="5"
    )
    engine = open_engine(chosen, "0x1", 1)
    assert (engine._disk.app_bytes, engine._disk.floor_bytes) == (1048576, 5)
    engine.close()


async def done(network: IsolatedNetwork) -> None:
    """Stand for the opening and the closing of a network, which need root."""


async def test_an_engine_that_cannot_list_networks_does_not_block_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IsolatedNetwork, "open", done)
    monkeypatch.setattr(IsolatedNetwork, "close", done)
    monkeypatch.setattr(container_host, "_RUN", tmp_path)
    health = Health()
    async with running_engine() as engine, AsyncExitStack() as stack:
        monkeypatch.setenv("DOCKER_HOST", engine.url)
        engine.refusals["GET /networks"] = (403, "the policy of this host forbids it")
        with capture_logs() as lines:
            await open_network(settings(tmp_path), "0x1", POOL, health, stack)
    (line,) = [line for line in lines if line["event"] == "network.removal_failed"]
    assert "the policy of this host forbids it" in line["error"]
    assert health.snapshot()["components"]["app_network"]["status"] == "UP"
