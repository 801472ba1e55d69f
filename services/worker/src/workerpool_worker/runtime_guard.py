"""Guards the runtime and the GPUs of apps: parks the worker while they are lost."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

from workerpool_kit.dependencies.report import WRONG, Dependency, DependencyProblem, DependencyReport
from workerpool_kit.dependencies.watch import start_watching, watch
from workerpool_kit.health import Health
from workerpool_kit.process import Lifetime

from workerpool_worker.adapters.docker.checks.runtime_trial import RuntimeTrial
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.domain.containers.engine_host import EngineHost, runtime_problem
from workerpool_worker.errors import EngineFailure
from workerpool_worker.settings import WorkerSettings

PERIOD_S = 10.0
_CHECK_LIMIT_S = 120.0
"""Longer than any check takes."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """A start that failed, and what a trial needs to repeat it."""

    reason: str
    gpus: int


class ParkingRuntimeGuard:
    """Implements the `RuntimeGuard` port: parks the worker through a component of health."""

    def __init__(
        self,
        report: DependencyReport,
        runtime: str,
        host: Callable[[], Awaitable[EngineHost]],
        trial: Callable[[int], Awaitable[str]],
    ) -> None:
        """Create it for a host that is able to start apps, as far as is known.

        Args:
            report: the report of the component.
            runtime: the runtime of apps; empty for the engine's default.
            host: reads the description of the engine's host. Raises `EngineFailure`.
            trial: returns why no container starts with a number of GPUs; empty if one does. Raises `EngineFailure`.
        """
        self._report, self._runtime, self._host, self._trial = report, runtime, host, trial
        self._unlisted = ""
        self._failure: _Failure | None = None
        report.works()

    def lost(self, reason: str, *, gpus: int) -> None:
        """Park the worker, because an app with a number of GPUs could not be started."""
        self._failure = _Failure(reason, gpus)
        self._report.fails(DependencyProblem(reason, kind=WRONG))

    async def probe(self) -> None:
        """Return if apps can be started. Raises DependencyProblem. An unreachable engine changes nothing."""
        problem = await self._look_at_list()
        while not problem and (failure := self._failure) is not None:
            problem = await self._repeat(failure)
            # Another app may have failed in the meantime.
            if not problem and self._failure is failure:
                self._failure = None
        if problem:
            raise DependencyProblem(problem, kind=WRONG)

    async def _look_at_list(self) -> str:
        with suppress(EngineFailure):
            self._unlisted = runtime_problem(self._runtime, (await self._host()).runtimes)
        return self._unlisted

    async def _repeat(self, failure: _Failure) -> str:
        try:
            return await self._trial(failure.gpus)
        except EngineFailure:
            return failure.reason


def watch_runtime(
    settings: WorkerSettings,
    wallet_address: str,
    engine: DockerEngine,
    gpus: tuple[str, ...],
    health: Health,
    lifetime: Lifetime,
    stack: AsyncExitStack,
) -> ParkingRuntimeGuard:
    """Watch the runtime and the GPUs of apps until `stack` is closed."""
    connection = DockerConnection(pool_size=1, base_url=None)
    stack.callback(connection.close)
    trial = RuntimeTrial(connection, settings.container_runtime, gpus, worker=wallet_address)
    report = DependencyReport(health, _runtime(settings))
    guard = ParkingRuntimeGuard(report, settings.container_runtime, engine.host, trial)
    watching = watch(report, guard.probe, every_s=PERIOD_S, limit_s=_CHECK_LIMIT_S)
    start_watching(lifetime, stack, watching, "runtime")
    return guard


def _runtime(settings: WorkerSettings) -> Dependency:
    return Dependency(
        "runtime",
        "IEXEC_WORKER_CONTAINER_RUNTIME",
        settings.container_runtime or "the engine's default",
        "repair the engine's runtime or the driver of its GPUs; the worker resumes automatically",
    )
