"""The mailbox of the scheduler: handles events in arrival order, and fires its timers.

Everything here runs in the thread of the event loop without awaiting, so each event is handled completely before the
next one. The scheduler relies on this serialisation.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.ids import DealId, TaskId

from workerpool_core.domain.decisions import Outcome
from workerpool_core.domain.dispatch.pool_supply import PoolSupply
from workerpool_core.domain.events import Event, ReconcileDue, Tick
from workerpool_core.domain.explainer import Explainer
from workerpool_core.domain.explanations.conditions import NO_CONDITIONS, Conditions
from workerpool_core.domain.live import LiveDeal, LiveWorker
from workerpool_core.domain.model import Task

log = get_logger()

_MAX_TICK_S = 60.0


class SchedulerPort(Protocol):
    """The scheduler, or a scripted one in tests."""

    @property
    def tasks(self) -> Mapping[TaskId, Task]:
        """Live tasks by id."""

    @property
    def workers(self) -> Mapping[str, LiveWorker]:
        """Registered workers by wallet."""

    @property
    def queued_tasks(self) -> int:
        """The number of tasks of known deals that are not created yet."""

    @property
    def deals(self) -> Mapping[DealId, LiveDeal]:
        """Deals whose contribution deadline has not passed, by id."""

    @property
    def waiting_tasks(self) -> int:
        """The number of tasks that wait for a worker."""

    def explain(self, now: float, conditions: Conditions) -> Explainer:
        """Return the reasons of tasks and workers."""

    def supply(self, worker_stake: int, now: float) -> PoolSupply:
        """Return the slots for tasks that each lock `worker_stake` nRLC of their worker."""

    def start(self, now: float) -> Outcome:
        """Return the decisions at the start."""

    def handle(self, event: Event, now: float) -> Outcome:
        """Return the decisions on an event."""

    def next_wake(self, now: float) -> float | None:
        """Return when the next timer is due; None when there is none."""


class CommitPort(Protocol):
    """Receives outcomes; implemented by `GroupCommit`."""

    def put(self, outcome: Outcome) -> None:
        """Enqueue an outcome."""


class Engine:
    """The scheduler's mailbox; `observe` receives each event with writes, and its outcome, shortly afterwards."""

    def __init__(
        self,
        scheduler: SchedulerPort,
        clock: Clock,
        *,
        observe: Callable[[Event, Outcome, float], None] = lambda _event, _outcome, _now: None,
        crashed: Callable[[BaseException], None] = lambda _error: None,
    ) -> None:
        """Create a stopped engine; `crashed` receives an exception of the scheduler, which invalidates its memory."""
        self._scheduler = scheduler
        self._clock = clock
        self._observe = observe
        self._unobserved: list[tuple[Event, Outcome, float]] = []
        self._crashed = crashed
        self._commit: CommitPort | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")
        self._broken = False

    @property
    def tasks(self) -> Mapping[TaskId, Task]:
        """Live tasks by id in the scheduler's memory, which may be ahead of the store."""
        return self._scheduler.tasks

    @property
    def workers(self) -> Mapping[str, LiveWorker]:
        """Registered workers by wallet."""
        return self._scheduler.workers

    @property
    def queued_tasks(self) -> int:
        """The number of tasks of known deals that are not created yet, because no worker could serve them."""
        return self._scheduler.queued_tasks

    @property
    def deals(self) -> Mapping[DealId, LiveDeal]:
        """Deals whose contribution deadline has not passed, by id."""
        return self._scheduler.deals

    @property
    def waiting_tasks(self) -> int:
        """The number of tasks that wait for a worker now."""
        return self._scheduler.waiting_tasks

    def explain(self, conditions: Conditions = NO_CONDITIONS) -> Explainer:
        """Return the reasons of tasks and workers now, while the pool's services are in these conditions."""
        return self._scheduler.explain(self._clock.now(), conditions)

    def supply(self, worker_stake: int) -> PoolSupply:
        """Return the slots that are free now for tasks that each lock `worker_stake` nRLC of their worker."""
        return self._scheduler.supply(worker_stake, self._clock.now())

    def start(self, commit: CommitPort) -> None:
        """Start the scheduler; `commit` receives its outcomes."""
        self._commit = commit
        now = self._clock.now()
        commit.put(self._scheduler.start(now))
        self._arm(now)

    def stop(self) -> None:
        """Cancel the timer and ignore further events."""
        self._broken = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def submit(self, event: Event) -> None:
        """Handle an event now; its effects follow once its writes are durable."""
        if self._broken:
            return
        assert self._commit is not None, "the engine is not started"
        now = self._clock.now()
        try:
            outcome = self._scheduler.handle(event, now)
            self._commit.put(outcome)
        except Exception as error:
            # The memory may be partly changed, so only the store is reliable. Write nothing more.
            log.error("engine.event_failed", kind=type(event).__name__, exc_info=error)
            self.stop()
            self._crashed(error)
            return
        if outcome.writes:
            # Observe after the write has started, so that metrics and logs overlap with the disk.
            if not self._unobserved:
                asyncio.get_running_loop().call_soon(self._observe_all)
            self._unobserved.append((event, outcome, now))
        self._arm(now)

    async def reconcile(self, period_s: float) -> None:
        """Submit a reconciliation with the chain every `period_s` seconds, until cancelled."""
        while True:
            await asyncio.sleep(period_s)
            self.submit(ReconcileDue())

    def _observe_all(self) -> None:
        unobserved, self._unobserved = self._unobserved, []
        for event, outcome, now in unobserved:
            self._observe(event, outcome, now)

    def _arm(self, now: float) -> None:
        """Set the timer for the scheduler's next wake-up; an earlier timer is kept and re-arms when it fires."""
        wake = self._scheduler.next_wake(now)
        wake = now + _MAX_TICK_S if wake is None else min(wake, now + _MAX_TICK_S)
        if wake >= self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = wake
        self._timer = asyncio.get_running_loop().call_later(max(wake - now, 0.001), self._fire)

    def _fire(self) -> None:
        self._timer, self._timer_at = None, float("inf")
        now = self._clock.now()
        wake = self._scheduler.next_wake(now)
        if wake is not None and wake <= now:
            self.submit(Tick())
        else:
            self._arm(now)
