"""The one mailbox of the scheduler: events in arrival order, writes before effects, time by request.

Everything here runs in the event loop's thread and never awaits, so an event is handled as a whole
before the next one; that is the serialisation that the scheduler relies on.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.ids import TaskId

from workerpool_core.domain.decisions import Outcome
from workerpool_core.domain.events import Event, ReconcileDue, Tick
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Task

log = get_logger()

_SLOWEST_TICK_S = 60.0


class SchedulerPort(Protocol):
    """The scheduler, or a scripted one in tests."""

    @property
    def tasks(self) -> Mapping[TaskId, Task]:
        """Live tasks by id."""

    @property
    def workers(self) -> Mapping[str, LiveWorker]:
        """Registered workers by wallet."""

    def start(self, now: float) -> Outcome:
        """Decide what a start asks for."""

    def handle(self, event: Event, now: float) -> Outcome:
        """Decide what an event asks for."""

    def next_wake(self, now: float) -> float | None:
        """Return when time itself is the next event; None when nothing is due."""


class CommitPort(Protocol):
    """Takes outcomes; `GroupCommit`."""

    def put(self, outcome: Outcome) -> None:
        """Take an outcome."""


class Engine:
    """Feeds the scheduler. `observe` sees each event that changed something with its outcome, a moment later."""

    def __init__(
        self,
        scheduler: SchedulerPort,
        clock: Clock,
        *,
        observe: Callable[[Event, Outcome, float], None] = lambda _event, _outcome, _now: None,
        crashed: Callable[[BaseException], None] = lambda _error: None,
    ) -> None:
        """Prepare; `crashed` is told of a defect in the scheduler, after which its memory cannot be trusted."""
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
        """Live tasks by id, as the scheduler's memory holds them; it may be ahead of the store."""
        return self._scheduler.tasks

    @property
    def workers(self) -> Mapping[str, LiveWorker]:
        """Registered workers by wallet."""
        return self._scheduler.workers

    def start(self, commit: CommitPort) -> None:
        """Let the scheduler take up its tasks; its outcomes go to `commit`."""
        self._commit = commit
        now = self._clock.now()
        commit.put(self._scheduler.start(now))
        self._arm(now)

    def stop(self) -> None:
        """Stop the clock; events are ignored from now on."""
        self._broken = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def submit(self, event: Event) -> None:
        """Handle an event now. Its effects happen once its writes are durable."""
        if self._broken:
            return
        assert self._commit is not None, "the engine is not started"
        now = self._clock.now()
        try:
            outcome = self._scheduler.handle(event, now)
            self._commit.put(outcome)
        except Exception as error:
            # The memory may be half changed: only the store is right now. Nothing more is written.
            log.error("engine.event_failed", kind=type(event).__name__, exc_info=error)
            self.stop()
            self._crashed(error)
            return
        if outcome.writes:
            # Only once the writes are on their way to the disk: figures and log lines are made while it works.
            if not self._unobserved:
                asyncio.get_running_loop().call_soon(self._observe_all)
            self._unobserved.append((event, outcome, now))
        self._arm(now)

    async def reconcile(self, period_s: float) -> None:
        """Ask for a comparison with the chain every so often, for ever."""
        while True:
            await asyncio.sleep(period_s)
            self.submit(ReconcileDue())

    def _observe_all(self) -> None:
        unobserved, self._unobserved = self._unobserved, []
        for event, outcome, now in unobserved:
            self._observe(event, outcome, now)

    def _arm(self, now: float) -> None:
        """Set the timer to the scheduler's wish; a later wish leaves an earlier timer, which then looks again."""
        wake = self._scheduler.next_wake(now)
        wake = now + _SLOWEST_TICK_S if wake is None else min(wake, now + _SLOWEST_TICK_S)
        if wake >= self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = wake
        self._timer = asyncio.get_running_loop().call_later(max(wake - now, 0.001), self._ring)

    def _ring(self) -> None:
        self._timer, self._timer_at = None, float("inf")
        now = self._clock.now()
        wake = self._scheduler.next_wake(now)
        if wake is not None and wake <= now:
            self.submit(Tick())
        else:
            self._arm(now)
