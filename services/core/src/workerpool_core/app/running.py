"""The parts of a started core that the API uses, and the answer before the start is complete."""

from dataclasses import dataclass

from workerpool_kit.clock import Clock
from workerpool_poco.protocol.ids import Address

from workerpool_core.app.engine.engine import Engine
from workerpool_core.app.queries.compass import Compass
from workerpool_core.app.queries.deal_queries import DealQueries
from workerpool_core.app.queries.live_logs import LiveLogs
from workerpool_core.app.queries.log_access import LogAccess
from workerpool_core.app.queries.log_tail import LogTail
from workerpool_core.app.queries.pool_conditions import PoolConditions
from workerpool_core.app.queries.pool_view import PoolView
from workerpool_core.app.queries.pool_wallet import PoolWallet
from workerpool_core.app.queries.supply_view import SupplyView
from workerpool_core.app.queries.task_queries import TaskQueries
from workerpool_core.app.workers.heartbeats import Heartbeats
from workerpool_core.app.workers.login import Login
from workerpool_core.app.workers.refusals import Refusals
from workerpool_core.app.workers.sessions import Sessions
from workerpool_core.domain.explainer import Explainer
from workerpool_core.errors import ServiceStarting


@dataclass(frozen=True, slots=True)
class PublicConfiguration:
    """The configuration that every worker of the pool receives; `hash` changes with every other field."""

    workerpool: Address
    scheduler: Address
    config_server_url: str
    result_proxy_url: str
    required_worker_version: str
    scheduler_version: str
    hash: str


@dataclass(slots=True)
class RunningCore:
    """Everything that the API delegates to. `configuration` is replaced when an operator changes it."""

    configuration: PublicConfiguration
    engine: Engine
    sessions: Sessions
    heartbeats: Heartbeats
    live_logs: LiveLogs
    login: Login
    queries: TaskQueries
    log_access: LogAccess
    compass: Compass
    view: PoolView
    supply: SupplyView
    deals: DealQueries
    log_tail: LogTail
    refusals: Refusals
    conditions: PoolConditions
    pool_wallet: PoolWallet
    clock: Clock
    token_lifetime_s: float

    def explain(self) -> Explainer:
        """Return the reasons of tasks, workers and the pool now."""
        return self.engine.explain(self.conditions.now())


class Core:
    """The running core; before the start is complete, each use raises an error that names the step in progress."""

    def __init__(self) -> None:
        self._running: RunningCore | None = None
        self._waiting_for = "its settings"

    def waits_for(self, what: str) -> None:
        """Record the step of the start that is in progress."""
        self._waiting_for = what

    def started(self, running: RunningCore) -> None:
        """Open the API."""
        self._running = running

    @property
    def running(self) -> RunningCore:
        """The running core. Raises ServiceStarting."""
        if self._running is None:
            raise ServiceStarting(
                f"the scheduler is starting and waits for {self._waiting_for}; retry in a few seconds"
            )
        return self._running

    @property
    def maybe_running(self) -> RunningCore | None:
        """The running core, None before the start is complete."""
        return self._running
