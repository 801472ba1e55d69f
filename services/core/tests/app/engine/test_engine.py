"""Events are handled in order of arrival at the right time; after a defect nothing is written."""

import asyncio
from collections.abc import Callable
from random import Random

from patience import PATIENCE_S
from workerpool_core.app.engine.engine import Engine
from workerpool_core.domain.decisions import CursorMoved, NotifyWatchers, Outcome
from workerpool_core.domain.dispatch.pool_supply import PoolSupply
from workerpool_core.domain.events import BlocksReverted, ChainHealthChanged, Event, ReconcileDue, Tick
from workerpool_core.domain.explainer import Explainer
from workerpool_core.domain.explanations.conditions import Conditions
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import reason
from workerpool_core.domain.live import LiveDeal, LiveWorker
from workerpool_core.domain.model import Task
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.state import State
from workerpool_kit.clock import FakeClock, SystemClock
from workerpool_poco.protocol.ids import DealId, TaskId


class Script:
    """A scheduler that answers with what the test says."""

    def __init__(self) -> None:
        self.tasks: dict[TaskId, Task] = {}
        self.workers: dict[str, LiveWorker] = {}
        self.deals: dict[DealId, LiveDeal] = {}
        self.queued_tasks = self.waiting_tasks = 0
        self.events: list[tuple[Event, float]] = []
        self.wake: float | None = None
        self.answer: Callable[[Event], Outcome] = lambda event: Outcome(
            [], [NotifyWatchers(TaskId(type(event).__name__))]
        )

    def start(self, now: float) -> Outcome:
        return Outcome([CursorMoved(0, "start")], [])

    def handle(self, event: Event, now: float) -> Outcome:
        self.events.append((event, now))
        return self.answer(event)

    def explain(self, now: float, conditions: Conditions) -> Explainer:
        return Explainer(State(Policy(), Random(1)), now, conditions)

    def supply(self, worker_stake: int, now: float) -> PoolSupply:
        return PoolSupply((), 0, 0, 0, 0, 0, 0, accepts_work=True)

    def next_wake(self, now: float) -> float | None:
        return self.wake


class Committed:
    """Keeps the outcomes in the order in which they were put."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.more = asyncio.Event()

    def put(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.more.set()


async def test_outcomes_are_committed_in_order_of_arrival() -> None:
    script, committed, clock = Script(), Committed(), FakeClock()
    engine = Engine(script, clock)
    engine.start(committed)
    engine.submit(ChainHealthChanged(True))
    clock.advance(5)
    engine.submit(BlocksReverted(3))
    assert [outcome.effects for outcome in committed.outcomes] == [
        [],
        [NotifyWatchers(TaskId("ChainHealthChanged"))],
        [NotifyWatchers(TaskId("BlocksReverted"))],
    ]
    assert script.events[1][1] - script.events[0][1] == 5
    engine.stop()


async def test_a_tick_is_submitted_when_a_timer_is_due() -> None:
    script, committed, clock = Script(), Committed(), SystemClock()
    engine = Engine(script, clock)
    script.wake = clock.now() + 0.05
    engine.start(committed)
    committed.more.clear()

    def ticked(event: Event) -> Outcome:
        script.wake = None
        return Outcome([], [NotifyWatchers(TaskId("tick"))])

    script.answer = ticked
    await asyncio.wait_for(committed.more.wait(), PATIENCE_S)
    ((event, now),) = script.events
    assert event == Tick()
    assert now >= clock.now() - 5
    engine.stop()


async def test_an_earlier_timer_replaces_a_later_one() -> None:
    script, committed, clock = Script(), Committed(), SystemClock()
    engine = Engine(script, clock)
    script.wake = clock.now() + 50
    engine.start(committed)

    def answer(event: Event) -> Outcome:
        script.wake = None if event == Tick() else clock.now() + 0.02
        return Outcome([], [])

    script.answer = answer
    engine.submit(ChainHealthChanged(True))
    committed.more.clear()
    await asyncio.wait_for(committed.more.wait(), PATIENCE_S)
    assert script.events[-1][0] == Tick()
    engine.stop()


async def test_a_defect_stops_the_engine_and_is_reported() -> None:
    script, committed = Script(), Committed()
    crashes: list[BaseException] = []
    engine = Engine(script, FakeClock(), crashed=crashes.append)
    engine.start(committed)

    def broken(_event: Event) -> Outcome:
        raise ZeroDivisionError

    script.answer = broken
    engine.submit(ChainHealthChanged(True))
    engine.submit(ChainHealthChanged(False))
    assert len(crashes) == 1
    assert len(script.events) == 1
    assert len(committed.outcomes) == 1


async def test_the_observer_sees_each_event_that_changed_something() -> None:
    script, seen = Script(), list[tuple[Event, int]]()
    engine = Engine(
        script, FakeClock(), observe=lambda event, outcome, _now: seen.append((event, len(outcome.effects)))
    )
    engine.start(Committed())
    engine.submit(ChainHealthChanged(True))
    script.answer = lambda event: Outcome(
        [CursorMoved(1, "0x")], [NotifyWatchers(TaskId(type(event).__name__))]
    )
    engine.submit(BlocksReverted(1))
    await asyncio.sleep(0)
    assert seen == [(BlocksReverted(1), 1)]
    engine.stop()


async def test_a_reconciliation_is_submitted_every_period() -> None:
    script, committed = Script(), Committed()
    engine = Engine(script, FakeClock())
    engine.start(committed)
    reconciling = asyncio.create_task(engine.reconcile(0.01))
    async with asyncio.timeout(PATIENCE_S):
        while len(script.events) < 3:
            committed.more.clear()
            await committed.more.wait()
    assert {event for event, _ in script.events} == {ReconcileDue()}
    reconciling.cancel()
    engine.stop()


async def test_reasons_are_those_of_the_scheduler_under_the_conditions_of_the_services() -> None:
    down = reason(ReasonCode.ADAPTER_DOWN)
    explainer = Engine(Script(), FakeClock()).explain(Conditions((down,)))
    assert explainer.pool()[0] == down
