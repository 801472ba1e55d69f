"""A worker whose engine is away at the start is parked until it can open what apps need."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import stamina
import structlog
from workerpool_kit.dependencies.report import DependencyProblem, DependencyReport
from workerpool_kit.health import Health
from workerpool_kit.process import StartupError
from workerpool_worker import dependencies
from workerpool_worker.adapters.docker.network.kinds import AppNetwork, NamedNetwork, UnopenedNetwork
from workerpool_worker.app_host import AppHost
from workerpool_worker.domain.containers.engine_host import EngineHost
from workerpool_worker.domain.host_guard import refusal_of
from workerpool_worker.errors import DockerUnavailable, EngineFailure, EngineRefused

from services.worker.tests.harness.builders import TASK_ID

HOST = EngineHost(1 << 30, 2, frozenset({"runc"}), "runc")
AWAY = DockerUnavailable("the Docker engine does not answer")


class Engine:
    """An engine that records what is done with it, and fails as the test says."""

    def __init__(self, *outages: EngineFailure, removal: EngineFailure | None = None) -> None:
        self.outages, self.removal = list(outages), removal
        self.done: list[str] = []

    async def host(self) -> EngineHost:
        if self.outages:
            raise self.outages.pop(0)
        return HOST

    async def remove_others(self, kept: frozenset[str]) -> list[str]:
        assert kept == {TASK_ID}
        if self.removal is not None:
            raise self.removal
        self.done.append("removed")
        return ["0x1"]

    def join(self, network: AppNetwork) -> None:
        self.done.append("joined")


async def named(host: EngineHost) -> AppNetwork:
    assert host == HOST
    return NamedNetwork("none")


def host(
    engine: Any, prepare: Callable[[EngineHost], Awaitable[AppNetwork]] = named
) -> tuple[AppHost, Health]:
    health = Health()
    report = DependencyReport(health, dependencies.docker_dependency())
    report.fails(DependencyProblem("the Docker engine does not answer"))
    return AppHost(engine, prepare, report, health, frozenset({TASK_ID})), health


def refusal(health: Health) -> str:
    return refusal_of(health.snapshot()["components"])


async def test_an_engine_that_answers_is_cleaned_up_before_the_first_app() -> None:
    engine = Engine()
    made, health = host(engine)
    assert await made.open_now()
    assert engine.done == ["removed", "joined"]
    assert "app_network" not in health.snapshot()["components"]


async def test_a_worker_without_its_engine_is_parked_until_it_answers() -> None:
    engine = Engine(AWAY, AWAY, EngineRefused("not for you"))
    made, health = host(engine)
    assert not await made.open_now()
    assert engine.done == []
    assert refusal(health).startswith("docker: the Docker engine does not answer")
    found = health.snapshot()["components"]["app_network"]
    assert found["details"]["error"] == "it is not open yet: the Docker engine does not answer"
    with stamina.set_testing(True, attempts=9):
        await made.open_later()
    assert engine.done == ["removed", "joined"]
    assert refusal(health) == ""


async def test_a_network_that_the_engine_does_not_make_is_tried_again() -> None:
    failures: list[Exception] = [EngineRefused("no network"), AWAY]

    async def prepare(host: EngineHost) -> AppNetwork:
        if failures:
            raise failures.pop(0)
        return NamedNetwork("none")

    engine = Engine()
    made, health = host(engine, prepare)
    assert not await made.open_now()
    assert "no network" in str(health.snapshot()["components"]["app_network"])
    with stamina.set_testing(True, attempts=9):
        await made.open_later()
    assert engine.done == ["removed", "joined"]


async def test_a_permanent_failure_ends_the_worker() -> None:
    async def prepare(host: EngineHost) -> AppNetwork:
        raise StartupError("apps would reach this host")

    made, _ = host(Engine(AWAY), prepare)
    assert not await made.open_now()
    with pytest.raises(StartupError, match="apps would reach this host"):
        await made.open_later()


@pytest.mark.parametrize("failure", [AWAY, EngineRefused("the policy forbids it")])
async def test_leftovers_that_cannot_be_removed_do_not_block_the_worker(
    failure: EngineFailure,
) -> None:
    engine = Engine(removal=failure)
    made, _ = host(engine)
    with structlog.testing.capture_logs() as lines:
        assert await made.open_now()
    assert [(line["event"], line["error"]) for line in lines] == [
        ("leftovers.removal_failed", failure.message)
    ]
    assert engine.done == ["joined"]


async def test_no_app_starts_or_continues_before_its_network_is_open() -> None:
    network = UnopenedNetwork()
    with pytest.raises(DockerUnavailable, match="not open yet"):
        async with network.place():
            pass
    with pytest.raises(DockerUnavailable, match="not open yet"):
        async with network.in_use():
            pass
