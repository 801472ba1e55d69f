"""What parks a host while it works, and what says nothing about it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
import structlog
from workerpool_kit.dependencies.report import DependencyProblem
from workerpool_kit.health import Health
from workerpool_kit.process import Lifetime
from workerpool_poco.protocol.model import Block
from workerpool_worker import dependencies, host_checks
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.domain.host_guard import refusal_of
from workerpool_worker.errors import CoreRefused
from workerpool_worker.host_checks import (
    PeriodicCheck,
    clock_check,
    folder_check,
    internet_check,
    probe_memory,
    watch_disks,
    watch_host,
)
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.doubles.stored_engine import StoredEngine, running_engine
from services.worker.tests.harness.builders import WORKER
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.test_startup import settings

NOW = 1_800_000_000.0
HOUR = 3600
UNSEEN = (400, 'invalid mount config for type "bind": bind source path does not exist: /x')


async def problem(probe: Any) -> str:
    """Return what a probe finds; empty if it finds nothing."""
    try:
        await probe
    except DependencyProblem as found:
        return str(found)
    return ""


# --- periodic checks -----------------------------------------------------------------------------


async def test_a_check_is_rare_after_success_and_frequent_after_a_failure() -> None:
    now, calls = 0.0, 0
    answers: list[str | None] = ["", "wrong", None, "", None, ""]

    async def look() -> str | None:
        nonlocal calls
        calls += 1
        return answers[calls - 1]

    probe = PeriodicCheck(look, every_s=100.0, again_s=10.0, now=lambda: now)
    assert (await problem(probe()), calls) == ("", 1)
    now = 99.0
    assert (await problem(probe()), calls) == ("", 1)
    now = 100.0
    assert (await problem(probe()), calls) == ("wrong", 2)
    now = 109.0
    assert (await problem(probe()), calls) == ("wrong", 2)
    now = 110.0
    assert (await problem(probe()), calls) == ("wrong", 3), "an inconclusive check changes nothing"
    now = 120.0
    assert (await problem(probe()), calls) == ("", 4)
    now = 219.0
    assert (await problem(probe()), calls) == ("", 4)
    now = 220.0
    assert (await problem(probe()), calls) == ("", 5)
    now = 230.0
    assert (await problem(probe()), calls) == ("", 6), "it is repeated sooner, because it said nothing"


# --- clock ------------------------------------------------------------------------------------------


class Heads:
    """The newest block."""

    latest: Block | None = None


def unavailable() -> grpc.aio.AioRpcError:
    empty = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, empty, empty, "away", None)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (NOW, ""),
        (NOW - HOUR, "1 h 0 min ahead of the scheduler's"),
        (None, None),
        (unavailable(), None),
        (CoreRefused("the scheduler names no workerpool"), None),
    ],
    ids=["right", "ahead", "untold", "away", "refused"],
)
async def test_the_clock_is_compared_with_the_schedulers(
    told: float | Exception | None, found: str | None
) -> None:
    async def ask() -> float | None:
        if isinstance(told, Exception):
            raise told
        return told

    look = clock_check(ask, Heads(), now=lambda: NOW)
    assert (await look() or None) == ((found and f"it is {found}") or None)
    assert (await look() is None) is (found is None)


async def test_the_newest_block_exonerates_this_host() -> None:
    async def ask() -> float | None:
        return NOW + HOUR

    heads = Heads()
    look = clock_check(ask, heads, now=lambda: NOW)
    assert "behind the scheduler's" in (await look() or "")
    heads.latest = Block(7, b"\x07" * 32, b"\x06" * 32, int(NOW))
    assert await look() == ""


async def test_the_time_that_the_answer_takes_is_no_difference_of_clocks() -> None:
    monotonic = [0.0, 100.0]

    async def ask() -> float | None:
        return NOW + 50

    look = clock_check(ask, Heads(), now=lambda: NOW, monotonic=lambda: monotonic.pop(0))
    assert await look() == ""


# --- internet ---------------------------------------------------------------------------------------


async def test_a_lost_network_parks_and_one_that_never_worked_does_not() -> None:
    answers = [False, False, True, False, True]

    async def any_answers() -> bool:
        return answers.pop(0)

    look = internet_check(any_answers)
    with structlog.testing.capture_logs() as lines:
        assert (await look(), await look()) == ("", "")
    assert [line["event"] for line in lines] == ["internet.lost"]
    assert await look() == ""
    assert await look() == "no registry and no IPFS gateway answers any more"
    assert await look() == ""


# --- memory -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("available", "told"), [(None, ""), (1 << 30, ""), (64 << 20, "64 MiB are available, and 128 MiB")]
)
async def test_a_host_without_memory_takes_no_task(available: int | None, told: str) -> None:
    found = await problem(probe_memory(128 << 20, lambda: available))
    assert found.startswith(told)
    assert bool(found) is bool(told)


# --- folder -----------------------------------------------------------------------------------------


@pytest.fixture
async def engine(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StoredEngine]:
    async with running_engine() as engine:
        monkeypatch.setenv("DOCKER_HOST", engine.url)
        yield engine


@pytest.fixture
async def connection(engine: StoredEngine) -> AsyncIterator[DockerConnection]:
    connection = DockerConnection(pool_size=1, base_url=engine.url)
    yield connection
    connection.close()


async def test_the_check_removes_its_file_and_its_container(
    engine: StoredEngine, connection: DockerConnection, tmp_path: Path
) -> None:
    look = folder_check(connection, tmp_path, WORKER)
    assert await look() == ""
    assert list(tmp_path.iterdir()) == []
    assert engine.removed == ["new"]
    (created,) = engine.created
    assert created["Labels"] == {"workerpool.worker": WORKER, "workerpool.task": ""}
    assert Path(created["HostConfig"]["Mounts"][0]["Source"]).parent == tmp_path


async def test_a_folder_that_the_engine_does_not_see_is_reported(
    engine: StoredEngine, connection: DockerConnection, tmp_path: Path
) -> None:
    engine.refusals["POST /containers/create"] = UNSEEN
    assert "does not see the files of" in (await folder_check(connection, tmp_path, WORKER)() or "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [403, 500])
async def test_a_failing_engine_is_inconclusive_about_the_folder(
    engine: StoredEngine, connection: DockerConnection, tmp_path: Path, status: int
) -> None:
    engine.refusals["POST /containers/create"] = (status, "not now")
    assert await folder_check(connection, tmp_path, WORKER)() is None
    assert await folder_check(connection, tmp_path / "none", WORKER)() is None


# --- all of it --------------------------------------------------------------------------------------


def host_settings(tmp_path: Path) -> WorkerSettings:
    made = settings(
        tmp_path,
        WORKERPOOL_WORKER_DOWNLOAD_REFERENCE_URLS="http://127.0.0.1:1",
        WORKERPOOL_WORKER_DISK_FLOOR_BYTES="0",
    )
    made.folder.mkdir()
    return made


def refusal(health: Health) -> str:
    return refusal_of(health.snapshot()["components"])


async def test_a_host_parks_and_recovers(
    engine: StoredEngine, tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dependencies, "SLOW_PERIOD_S", 0.02)
    monkeypatch.setattr(host_checks, "_FOLDER_AGAIN_S", 0.02)
    engine.refusals["POST /containers/create"] = UNSEEN
    health, lifetime, made = Health(), Lifetime(), host_settings(tmp_path)

    async def ask() -> float | None:
        raise unavailable()

    async with AsyncExitStack() as stack:
        watch_disks(made, health, lifetime, stack)
        await watch_host(made, WORKER, ask, Heads(), health, lifetime, stack)
        assert refusal(health).startswith("base_folder: the engine does not see"), (
            "known before the first task"
        )
        engine.refusals.clear()
        await eventually(lambda: refusal(health) == "")
        await eventually(lambda: health.is_up)
        components = health.snapshot()["components"]
        assert {"workspace", "disk", "base_folder", "clock", "internet"} <= components.keys()
        assert "memory" not in components, "the engine is on another host"
    await asyncio.wait_for(lifetime.cancel_spawned(), 10)
    assert lifetime.failure is None
