"""Prepares the engine for apps: at the start, or once the engine answers. Until then the worker is parked.

A worker without an engine still connects, reports why it accepts no work, and sends finished results.
"""

from collections.abc import Awaitable, Callable

from workerpool_kit.dependencies.report import DependencyReport
from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff, retry

from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.docker.network.kinds import AppNetwork
from workerpool_worker.domain.containers.engine_host import EngineHost
from workerpool_worker.errors import EngineFailure

log = get_logger()

_BACKOFF = Backoff(first_s=1.0, longest_s=5.0)
_COMPONENT = "app_network"


class AppHost:
    """What apps need from the engine before the first one starts."""

    def __init__(
        self,
        engine: DockerEngine,
        prepare: Callable[[EngineHost], Awaitable[AppNetwork]],
        report: DependencyReport,
        health: Health,
        held: frozenset[str],
    ) -> None:
        """Store the arguments; nothing is opened or changed yet.

        Args:
            engine: the engine, whose apps have no network yet.
            prepare: divides the host and opens that network. Raises EngineFailure, or StartupError if no later attempt
                helps.
            report: the report of the engine.
            health: receives why no app can start.
            held: the tasks of the journal; containers of other tasks are removed.
        """
        self._engine, self._prepare, self._held = engine, prepare, held
        self._report, self._health = report, health
        self._is_parked = False

    async def open_now(self) -> bool:
        """Return whether apps can start from now on. If not, `open_later` keeps trying. Raises StartupError."""
        try:
            await self._open()
        except EngineFailure as failure:
            self._is_parked = True
            self._health.set(_COMPONENT, False, error=f"it is not open yet: {failure.message}")
            return False
        return True

    async def open_later(self) -> None:
        """Return once apps can start. Raises StartupError."""
        await retry(self._open, what="open the engine for apps", on=EngineFailure, backoff=_BACKOFF)

    async def _open(self) -> None:
        network = await self._prepare(await self._engine.host())
        # Before the network is joined: no container of a new task exists yet.
        await self._remove_leftovers()
        self._engine.join(network)
        if self._is_parked:
            self._is_parked = False
            self._report.works()
            self._health.set(_COMPONENT, True)

    async def _remove_leftovers(self) -> None:
        """Remove the containers of replicates that the journal does not hold."""
        try:
            removed = await self._engine.remove_others(self._held)
        except EngineFailure as problem:
            log.warning("leftovers.removal_failed", error=problem.message)
            return
        if removed:
            log.info("leftovers.removed", containers=len(removed))
