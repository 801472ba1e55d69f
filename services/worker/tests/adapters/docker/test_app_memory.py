"""app-memory: the kernel's kill at the memory limit is found, whichever process of the app it hits."""

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_worker.adapters.docker import engine as docker_engine
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.kernel_kills import KernelKills

from services.worker.tests.harness.fixtures import MakePlan

EAT = "x=$(yes | head -c 200000000); echo $x"


KILLED_AT_THE_LIMIT = [
    pytest.param(f"{EAT}", id="app-memory"),
    pytest.param(f"(/bin/sh -c '{EAT}'); exit 0", id="a child whose parent ends well"),
    pytest.param(f"/bin/sh -c '{EAT}' & wait $!; exit 3", id="a child in the background"),
    pytest.param(f"exec /bin/sh -c '{EAT}'", id="the first process"),
]


@pytest.mark.parametrize("script", KILLED_AT_THE_LIMIT)
async def test_app_memory_is_distinguished_from_other_ends(
    engine: DockerEngine, plan: MakePlan, script: str
) -> None:
    ended = await engine.run(await engine.create(plan("/bin/sh", "-c", script)), PATIENCE_S, new=True)
    assert ended.out_of_memory


@pytest.mark.parametrize("script", KILLED_AT_THE_LIMIT)
async def test_a_kill_that_the_engines_record_misses_is_found(
    engine: DockerEngine, plan: MakePlan, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    describe = engine._details

    async def details(container: str) -> dict[str, Any]:
        described = await describe(container)
        described["State"]["OOMKilled"] = False
        return described

    monkeypatch.setattr(engine, "_details", details)
    ended = await engine.run(await engine.create(plan("/bin/sh", "-c", script)), PATIENCE_S, new=True)
    assert ended.out_of_memory


async def test_without_a_kernel_kill_the_events_are_not_read(
    engine: DockerEngine, plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters = tmp_path / "vmstat"
    counters.write_text("oom_kill 1\n")  # Other apps of this host may be killed meanwhile.
    monkeypatch.setattr(engine._memory_kills, "_kernel", KernelKills(counters))

    async def look(container: str, *, killed: bool) -> bool:
        raise AssertionError("the engine was asked")

    monkeypatch.setattr(engine._memory_kills, "_is_in_events", look)
    container = await engine.create(plan("/bin/sh", "-c", "sleep 1; exit 137"))
    ended = await engine.run(container, PATIENCE_S, new=True)
    assert (ended.exit_code, ended.out_of_memory) == (137, False)


@pytest.mark.parametrize("offset_s", [-10_800, 10_800])
async def test_a_wrong_clock_does_not_delay_the_end_of_a_killed_app(
    engine: DockerEngine, plan: MakePlan, monkeypatch: pytest.MonkeyPatch, offset_s: float
) -> None:
    wrong = SimpleNamespace(monotonic=time.monotonic, time=lambda: time.time() + offset_s)
    monkeypatch.setattr(docker_engine, "time", wrong)
    container = await engine.create(plan("/bin/sh", "-c", "exit 137"))
    ended = await asyncio.wait_for(engine.run(container, 2 * PATIENCE_S, new=True), PATIENCE_S)
    assert (ended.exit_code, ended.out_of_memory) == (137, False)


@pytest.mark.parametrize("script", ["exit 137", "/bin/sh -c 'kill -9 $$'", "exit 0", "exit 3"])
async def test_other_ends_are_not_out_of_memory(engine: DockerEngine, plan: MakePlan, script: str) -> None:
    ended = await engine.run(await engine.create(plan("/bin/sh", "-c", script)), PATIENCE_S, new=True)
    assert not ended.out_of_memory
