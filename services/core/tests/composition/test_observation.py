"""Decisions reach the metrics, until the process stops."""

from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from workerpool_core.app.queries.live_logs import LiveLogs
from workerpool_core.composition import observation
from workerpool_core.domain.decisions import Outcome, TaskChanged
from workerpool_core.domain.events import Tick
from workerpool_core.domain.model import TaskChange
from workerpool_kit.clock import FakeClock
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import TaskStatus


class Registry(CollectorRegistry):
    """A registry that computes no metric when a collector registers."""

    def __init__(self) -> None:
        super().__init__()
        self.collectors: list[object] = []

    def register(self, collector: Any) -> None:
        self.collectors.append(collector)

    def unregister(self, collector: Any) -> None:
        self.collectors.remove(collector)


async def test_an_ended_task_is_counted_and_the_gauges_last_until_the_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry, ended = Registry(), list[TaskStatus]()
    monkeypatch.setattr(observation, "REGISTRY", registry)
    engine: Any = SimpleNamespace(tasks={})
    view: Any = SimpleNamespace(task_ended=ended.append, deal_taken=None, summary=None, tally=None)
    async with AsyncExitStack() as stack:
        parts: Any = SimpleNamespace(stack=stack, version="1")
        observed = observation.Observation(LiveLogs({}), FakeClock(1.0))
        observed.start(parts, engine, view)
        assert len(registry.collectors) == 1
        change = TaskChange(TaskStatus.FAILED, 1.0)
        observed.observe(Tick(), Outcome([TaskChanged(TaskId("0x1"), TaskStatus.RUNNING, (change,))]), 1.0)
        observed.assigned(TaskId("0x1"), "0xWorker")
        assert ended == [TaskStatus.FAILED]
    assert registry.collectors == []
