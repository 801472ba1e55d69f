"""What containers get of the host for themselves, in the requests that the engine receives."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_poco.protocol.ids import TaskId
from workerpool_worker.adapters.docker import engine as engine_module
from workerpool_worker.adapters.docker import host_resources
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.docker.host_resources import GPU_LABEL, PROCESSOR_LABEL
from workerpool_worker.adapters.shared_use import SharedUse
from workerpool_worker.app.ports import ContainerPlan
from workerpool_worker.domain.containers.division import HostDivision
from workerpool_worker.domain.host import SlotLimits
from workerpool_worker.errors import DockerUnavailable, HostDeviceUnavailable

from services.worker.tests.doubles.stored_engine import StoredEngine, running_engine

GPUS = ("GPU-a", "GPU-b", "GPU-c", "GPU-d")
WALLET, OTHER = "0xWorker", "0xOther"
Make = Callable[..., DockerEngine]


@pytest.fixture
async def stored() -> AsyncIterator[StoredEngine]:
    async with running_engine() as engine:
        yield engine


@pytest.fixture
async def make(stored: StoredEngine, tmp_path: Path) -> AsyncIterator[Make]:
    """Make the engine of one more worker of the host."""
    made: list[DockerEngine] = []

    def worker(wallet: str = WALLET, user: str = "root", **division: Any) -> DockerEngine:
        engine = DockerEngine(wallet, base_url=stored.url)
        engine.divide(HostDivision(**division), SharedUse(tmp_path, f"gpus-{user}"))
        made.append(engine)
        return engine

    yield worker
    for engine in made:
        engine.close()


def plan(number: int = 0, gpus: int = 0, cpus: float = 1.0) -> ContainerPlan:
    task = TaskId(f"0x{number:064x}")
    return ContainerPlan(
        task, f"worker-{task}", "app:1", ("run",), {"A": "b"}, {}, SlotLimits(cpus, 64 << 20, 64), gpus
    )


def gpus_of(body: dict[str, Any]) -> list[str]:
    return [gpu for request in body["HostConfig"]["DeviceRequests"] for gpu in request["DeviceIDs"]]


def processors_of(body: dict[str, Any]) -> str:
    return str(body["HostConfig"]["CpusetCpus"])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_resources, "_PATIENCE_S", 0.0)


async def test_a_container_gets_the_runtime_its_processor_and_its_gpu(
    make: Make, stored: StoredEngine, tmp_path: Path
) -> None:
    names = tmp_path / "resolv.conf"
    engine = make(runtime="runsc", processors=("3", "2"), gpus=GPUS, resolv_conf=names)
    await engine.create(plan(gpus=1))
    (body,) = stored.created
    config = body["HostConfig"]
    assert config["Runtime"] == "runsc"
    assert (config["CpusetCpus"], config["NanoCpus"]) == ("3", 10**9)
    assert config["DeviceRequests"] == [
        {"Driver": "", "Count": 0, "DeviceIDs": ["GPU-a"], "Capabilities": [["gpu"]], "Options": {}}
    ]
    assert config["Binds"] == [f"{names}:/etc/resolv.conf:ro"]
    assert (body["Labels"][GPU_LABEL], body["Labels"][PROCESSOR_LABEL]) == ("GPU-a", "3")
    assert sorted(body["Env"]) == ["A=b", "NVIDIA_VISIBLE_DEVICES=GPU-a"]


async def test_an_undivided_host_adds_nothing_to_a_container(make: Make, stored: StoredEngine) -> None:
    await make().create(plan())
    (body,) = stored.created
    assert not {"Runtime", "CpusetCpus", "DeviceRequests"} & body["HostConfig"].keys()
    assert not {GPU_LABEL, PROCESSOR_LABEL} & body["Labels"].keys()
    assert body["Env"] == ["A=b"]


async def test_an_app_that_requires_no_gpu_sees_none(make: Make, stored: StoredEngine) -> None:
    await make(gpus=GPUS).create(plan())
    (body,) = stored.created
    assert "DeviceRequests" not in body["HostConfig"]
    assert GPU_LABEL not in body["Labels"]
    assert body["Env"] == ["A=b", "NVIDIA_VISIBLE_DEVICES=void"]


async def test_an_app_gets_the_required_number_of_gpus(make: Make, stored: StoredEngine) -> None:
    engine = make(gpus=GPUS)
    await engine.create(plan(1, gpus=3))
    await engine.create(plan(2, gpus=1))
    assert [gpus_of(body) for body in stored.created] == [["GPU-a", "GPU-b", "GPU-c"], ["GPU-d"]]


async def test_workers_of_a_host_never_give_a_gpu_to_two_apps(make: Make, stored: StoredEngine) -> None:
    workers = [make(gpus=GPUS), make(OTHER, gpus=GPUS)]
    await asyncio.gather(*(workers[number % 2].create(plan(number, gpus=1)) for number in range(4)))
    assert sorted(gpu for body in stored.created for gpu in gpus_of(body)) == list(GPUS)


async def test_workers_of_different_users_never_give_a_gpu_to_two_apps(
    make: Make, stored: StoredEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They share no lock: each learns from the engine that another chose at the same time."""
    monkeypatch.setattr(engine_module, "_CLAIM_PAUSE_S", (0.0, 0.05))
    workers = [make(wallet, wallet, gpus=GPUS[:2]) for wallet in (WALLET, OTHER)]
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(each.create(plan(at, gpus=1)) for at, each in enumerate(workers)))
    held = [each["Labels"][GPU_LABEL] for each in stored.containers]
    assert sorted(held) == sorted(GPUS[:2])


@pytest.mark.usefixtures("impatient")
async def test_a_worker_that_never_gets_an_exclusive_gpu_fails(
    make: Make, stored: StoredEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_CLAIM_PAUSE_S", (0.0, 0.0))

    async def shared(*_: object) -> bool:
        return True

    monkeypatch.setattr(host_resources._Pool, "is_shared", shared)
    with pytest.raises(HostDeviceUnavailable, match="keep taking"):
        await make(gpus=GPUS).create(plan(gpus=1))
    assert stored.containers == []


async def test_apps_of_a_worker_get_different_processors(make: Make, stored: StoredEngine) -> None:
    engine = make(processors=("3", "2", "1"))
    await asyncio.gather(*(engine.create(plan(number)) for number in range(3)))
    assert sorted(map(processors_of, stored.created)) == ["1", "2", "3"]


async def test_an_app_with_a_limit_above_one_processor_gets_two(make: Make, stored: StoredEngine) -> None:
    await make(processors=("3", "2", "1")).create(plan(cpus=1.5))
    assert processors_of(stored.created[0]) == "3,2"


async def test_another_workers_apps_hold_no_processor_of_this_one(make: Make, stored: StoredEngine) -> None:
    for wallet in (WALLET, OTHER):
        await make(wallet, processors=("1",)).create(plan())
    assert list(map(processors_of, stored.created)) == ["1", "1"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("state", ["created", "running", "paused", "restarting"])
async def test_a_running_app_keeps_its_resources(make: Make, stored: StoredEngine, state: str) -> None:
    await make(gpus=GPUS[:1]).create(plan(1, gpus=1))
    stored.containers[0]["State"] = state
    with pytest.raises(HostDeviceUnavailable, match="needs 1 of gpus GPU-a for itself"):
        # As after a restart of the worker, which kept no list.
        await make(gpus=GPUS[:1]).create(plan(2, gpus=1))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("state", ["exited", "dead"])
async def test_an_app_that_ended_holds_nothing(make: Make, stored: StoredEngine, state: str) -> None:
    engine = make(processors=("1",), gpus=GPUS[:1])
    await engine.create(plan(1, gpus=1))
    stored.containers[0]["State"] = state
    await engine.create(plan(2, gpus=1))
    assert gpus_of(stored.created[1]) == ["GPU-a"]
    assert processors_of(stored.created[1]) == "1"


@pytest.mark.usefixtures("impatient")
async def test_a_removed_container_holds_nothing(make: Make, stored: StoredEngine) -> None:
    engine = make(gpus=GPUS[:1])
    first = plan(1, gpus=1)
    await engine.create(first)
    await engine.remove(first.task_id)
    await engine.create(plan(2, gpus=1))
    assert gpus_of(stored.created[1]) == ["GPU-a"]


@pytest.mark.usefixtures("impatient")
async def test_a_failed_creation_holds_nothing(make: Make, stored: StoredEngine) -> None:
    engine = make(processors=("1",), gpus=GPUS[:1])
    stored.refusals["POST /containers/create"] = (500, "the engine fails")
    with pytest.raises(DockerUnavailable, match="the engine fails"):
        await engine.create(plan(1, gpus=1))
    stored.refusals.clear()
    await engine.create(plan(2, gpus=1))
    assert gpus_of(stored.created[0]) == ["GPU-a"]


@pytest.mark.usefixtures("impatient")
async def test_a_container_that_is_replaced_holds_nothing(make: Make, stored: StoredEngine) -> None:
    engine = make(gpus=GPUS[:1])
    for _ in range(2):
        await engine.create(plan(gpus=1))
    assert list(map(gpus_of, stored.created)) == [["GPU-a"], ["GPU-a"]]


async def test_a_gpu_that_becomes_free_is_waited_for(make: Make, stored: StoredEngine) -> None:
    engine = make(gpus=GPUS[:1])
    await engine.create(plan(1, gpus=1))
    waiting = asyncio.create_task(engine.create(plan(2, gpus=1)))
    await asyncio.sleep(0)
    assert not waiting.done()
    stored.containers[0]["State"] = "exited"
    await waiting
    assert list(map(gpus_of, stored.created)) == [["GPU-a"], ["GPU-a"]]


async def test_a_host_without_enough_gpus_is_reported_immediately(make: Make) -> None:
    with pytest.raises(HostDeviceUnavailable, match=r"needs 1 of gpus \(none\)"):
        await make().create(plan(gpus=1))
    with pytest.raises(HostDeviceUnavailable, match="needs 2 of gpus GPU-a"):
        await make(gpus=GPUS[:1]).create(plan(gpus=2))
