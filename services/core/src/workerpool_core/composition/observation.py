"""The observation of decisions: metrics, log events and live logs."""

from prometheus_client import REGISTRY
from workerpool_kit.clock import Clock
from workerpool_poco.protocol.ids import TaskId

from workerpool_core.app.engine.engine import Engine
from workerpool_core.app.observability.metrics import Observer, PoolCollector
from workerpool_core.app.observability.progress_log import log_progress
from workerpool_core.app.queries.live_logs import LiveLogs
from workerpool_core.app.queries.pool_view import PoolView
from workerpool_core.composition.parts import Parts
from workerpool_core.domain.decisions import Outcome
from workerpool_core.domain.events import Event


class Observation:
    """The observer of decisions. `start` must precede the engine's start."""

    def __init__(self, live_logs: LiveLogs, clock: Clock) -> None:
        self._live_logs = live_logs
        self._clock = clock
        self._observer: Observer

    def start(self, parts: Parts, engine: Engine, view: PoolView) -> None:
        """Start measuring, and register the gauges of the pool until the process stops."""
        self._observer = Observer(
            engine.tasks, task_ended=view.task_ended, deal_taken=view.deal_taken, tally=view.tally
        )
        collector = PoolCollector(view.summary, parts.version)
        REGISTRY.register(collector)
        parts.stack.callback(REGISTRY.unregister, collector)

    def observe(self, event: Event, outcome: Outcome, now: float) -> None:
        """Record one event with its outcome at `now` (Unix seconds)."""
        self._observer.observe(event, outcome, now)
        self._live_logs.settle(outcome)
        log_progress(event, outcome, now)

    def assigned(self, task_id: TaskId, worker: str) -> None:
        """Record that an assignment was sent."""
        self._observer.assigned(task_id, worker, self._clock.now())
