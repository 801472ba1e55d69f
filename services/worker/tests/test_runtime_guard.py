"""A worker whose engine cannot start apps parks at once, and comes back once a trial succeeds."""

import pytest
from workerpool_kit.dependencies.report import Dependency, DependencyProblem, DependencyReport
from workerpool_kit.health import Health
from workerpool_worker.domain.containers.engine_host import EngineHost
from workerpool_worker.domain.host_guard import refusal_of
from workerpool_worker.errors import DockerUnavailable
from workerpool_worker.runtime_guard import ParkingRuntimeGuard

GONE = "unknown runtime runsc"


class Host:
    """An engine whose runtimes and trials a test decides."""

    def __init__(self) -> None:
        self.health = Health()
        self.runtimes: frozenset[str] | None = frozenset({"runc", "runsc"})
        """None while the engine is away."""
        self.fails: dict[int, str] = {}
        """Reasons by number of GPUs."""
        self.trials: list[int] = []
        report = DependencyReport(self.health, Dependency("runtime", "VARIABLE", "runsc", "repair it"))
        self.guard = ParkingRuntimeGuard(report, "runsc", self._ask, self._try)
        self.report = report

    async def _ask(self) -> EngineHost:
        if self.runtimes is None:
            raise DockerUnavailable("away")
        return EngineHost(1 << 30, 2, self.runtimes, "runc")

    async def _try(self, gpus: int) -> str:
        if self.runtimes is None:
            raise DockerUnavailable("away")
        self.trials.append(gpus)
        return self.fails.get(gpus, "")

    async def probe(self) -> str:
        """Probe once as the watch does, and return why the host takes no work."""
        try:
            await self.guard.probe()
        except DependencyProblem as problem:
            self.report.fails(problem)
        else:
            self.report.works()
        return self.refusal

    @property
    def refusal(self) -> str:
        return refusal_of(self.health.snapshot()["components"])


async def test_a_host_counts_as_able_until_a_failure() -> None:
    host = Host()
    assert host.refusal == ""
    assert await host.probe() == ""
    assert host.trials == []


async def test_a_start_that_failed_parks_until_its_trial_succeeds() -> None:
    host = Host()
    host.fails[2] = GONE
    host.guard.lost(GONE, gpus=2)
    assert host.refusal == f"runtime: {GONE} (repair it)"
    assert await host.probe() == f"runtime: {GONE} (repair it)"
    host.fails.clear()
    assert await host.probe() == ""
    assert host.trials == [2, 2]
    assert await host.probe() == ""
    assert len(host.trials) == 2, "nothing is tried while all is well"


async def test_a_loss_during_a_trial_is_not_forgotten() -> None:
    host = Host()
    host.guard.lost(GONE, gpus=0)
    host.fails[1] = GONE
    trial = host.guard._trial

    async def during(gpus: int) -> str:
        if gpus == 0:
            host.guard.lost(GONE, gpus=1)
        return await trial(gpus)

    host.guard._trial = during
    assert GONE in await host.probe()
    assert host.trials == [0, 1]


async def test_a_runtime_that_the_engine_lists_no_more_parks_before_an_app_needs_it() -> None:
    host = Host()
    host.runtimes = frozenset({"runc"})
    assert "the engine has no runtime runsc" in await host.probe()
    host.runtimes = None
    assert "the engine has no runtime runsc" in await host.probe(), "an engine that is away says nothing"
    host.runtimes = frozenset({"runsc"})
    assert await host.probe() == ""


@pytest.mark.parametrize("is_lost", [False, True])
async def test_an_unreachable_engine_changes_nothing(is_lost: bool) -> None:
    host = Host()
    if is_lost:
        host.guard.lost(GONE, gpus=0)
    host.runtimes = None
    assert bool(await host.probe()) is is_lost
