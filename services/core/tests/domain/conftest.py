"""Pools that a test drives step by step, and states for tests of single modules."""

from collections.abc import Callable
from random import Random

import pytest
from workerpool_core.domain import transitions
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker, WorkerSession
from workerpool_core.domain.model import Task, TaskChange, Worker, WorkerModel
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.state import State
from workerpool_core.simulation.deals import deal_terms
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_poco.protocol.statuses import TaskStatus

from services.core.tests.doubles.scripted_pool import ScriptedPool

NOW = 1_000_000.0


@pytest.fixture
def pool() -> ScriptedPool:
    return ScriptedPool()


@pytest.fixture
def make_pool() -> Callable[..., ScriptedPool]:
    """`make_pool(policy, seed)` makes a pool with another policy."""

    def make(policy: Policy | None = None, seed: int = 1) -> ScriptedPool:
        return ScriptedPool(policy, seed)

    return make


@pytest.fixture
def context() -> EventContext:
    """An event context over an empty state, at the time 1,000,000."""
    return EventContext(State(Policy(), Random(1)), NOW)


@pytest.fixture
def add_worker(context: EventContext) -> Callable[..., LiveWorker]:
    """`add_worker(wallet)` adds a connected worker with the weight 2 to the state."""

    def add(wallet: str = "0xW") -> LiveWorker:
        model = WorkerModel(wallet, "1", "linux", "x86", slots=2, memory_bytes=1 << 33)
        live = LiveWorker(Worker(wallet, model, NOW, NOW), WorkerSession(f"{wallet}/1"), weight=2)
        context.state.workers[wallet] = live
        return live

    return add


@pytest.fixture
def add_task(context: EventContext) -> Callable[..., Task]:
    """`add_task(number, status, **terms)` adds an initialized task to the state, without writes."""

    def add(number: int = 1, status: TaskStatus = TaskStatus.RUNNING, **terms: object) -> Task:
        deal = deal_terms(DealId(f"0x{number:064x}"), start=NOW, execution_s=300, **terms)
        task = Task(TaskId(f"0xtask{number}"), 0, deal, [TaskChange(status, NOW)])
        transitions.create_task(context, task)
        task.initialization_block, task.enclave_challenge = 5, ZERO_ADDRESS
        context.writes.clear()
        context.tasks_to_advance.clear()
        context.changed_tasks.clear()
        return task

    return add
