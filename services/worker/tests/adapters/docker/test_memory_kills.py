"""Kills that the engine's record misses: found in its events, which are read only when the kernel killed something."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.memory_kills import MemoryKills
from workerpool_worker.adapters.kernel_kills import KernelKills

from services.worker.tests.doubles.stored_engine import StoredEngine, running_engine

CONTAINER = "ab" * 32


@dataclass
class Host:
    """An engine and a kernel that runs its containers."""

    engine: StoredEngine
    counters: Path
    kills: MemoryKills

    def kernel_kills(self, count: int) -> None:
        self.counters.write_text(f"oom_kill {count}\n")


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    async with running_engine() as engine:
        connection = DockerConnection(pool_size=1, base_url=engine.url)
        (tmp_path / "docker" / CONTAINER).mkdir(parents=True)
        kills = MemoryKills(connection, KernelKills(tmp_path / "vmstat", tmp_path))
        made = Host(engine, tmp_path / "vmstat", kills)
        made.kernel_kills(5)
        yield made
        connection.close()


def details(exit_code: int = 0, runtime: str = "runc") -> dict[str, Any]:
    return {"State": {"ExitCode": exit_code}, "HostConfig": {"Runtime": runtime}}


def answer(engine: StoredEngine, *events: dict[str, str]) -> None:
    engine.documents["GET /info"] = {"SystemTime": "2001-09-09T01:46:40Z"}
    engine.documents["GET /events"] = list(events)


async def test_a_kernel_that_killed_nothing_needs_no_call_of_the_engine(host: Host) -> None:
    before = host.kills.count()
    host.kills.started(CONTAINER)
    # The engine refuses both calls: it has no such pages.
    assert not await host.kills.happened(CONTAINER, details(137), before)


@pytest.mark.parametrize("exit_code", [0, 3, 137])
async def test_a_kernel_kill_is_searched_in_the_events(host: Host, exit_code: int) -> None:
    before = host.kills.count()
    host.kills.started(CONTAINER)
    host.kernel_kills(6)
    answer(host.engine, {"status": "oom"})
    assert await host.kills.happened(CONTAINER, details(exit_code), before)
    answer(host.engine)
    assert not await host.kills.happened(CONTAINER, details(exit_code), before), "it hit another container"


@pytest.mark.parametrize(
    ("started", "before", "runtime"),
    [(False, 5, "runc"), (True, None, "runc"), (True, 5, "runsc")],
    ids=["a kernel elsewhere", "started by another process", "a runtime with its own kernel"],
)
async def test_without_a_kernel_count_the_events_are_read(
    host: Host, started: bool, before: int | None, runtime: str
) -> None:
    if started:
        host.kills.started(CONTAINER)
    answer(host.engine, {"status": "oom"})
    assert await host.kills.happened(CONTAINER, details(runtime=runtime), before)
