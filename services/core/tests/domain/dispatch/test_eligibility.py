"""The workers that a task may be assigned to, whether or not they have a free slot."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from workerpool_core.domain import transitions
from workerpool_core.domain.dispatch import eligibility
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Task
from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import ReplicateStatus

from services.core.tests.doubles.scripted_pool import SCONE, TO_COMPUTED

R = ReplicateStatus
C = ReplicateStatusCause
AddTask = Callable[..., Task]
AddWorker = Callable[..., LiveWorker]


def out_of_memory(context: EventContext, task: Task, wallet: str) -> None:
    replicate = transitions.create_replicate(context, task, wallet, 2)
    for status in TO_COMPUTED[:-1]:
        transitions.move_replicate(context, replicate, status)
    transitions.move_replicate(context, replicate, R.COMPUTED, cause=C.APP_OUT_OF_MEMORY)


def test_an_idle_worker_is_eligible(context: EventContext, add_task: AddTask, add_worker: AddWorker) -> None:
    assert eligibility.is_eligible(context, add_task(), add_worker())


def test_a_worker_without_a_session_is_eligible_until_it_is_lost(
    context: EventContext, add_task: AddTask, add_worker: AddWorker
) -> None:
    worker, task = add_worker(), add_task()
    worker.session = None
    assert eligibility.is_eligible(context, task, worker)
    worker.worker.lost = True
    assert not eligibility.has_eligible_worker(context, task)


@pytest.mark.parametrize("pause", ["drained_until", "quarantined_until"])
def test_a_paused_worker_is_not_eligible(
    context: EventContext, add_task: AddTask, add_worker: AddWorker, pause: str
) -> None:
    worker = add_worker()
    setattr(worker.worker, pause, context.now + 1)
    assert eligibility.is_paused(worker.worker, context.now)
    assert not eligibility.is_eligible(context, add_task(), worker)


def test_a_worker_without_weight_or_hardware_is_not_eligible(
    context: EventContext, add_task: AddTask, add_worker: AddWorker
) -> None:
    worker = add_worker()
    assert not eligibility.is_eligible(context, add_task(tag=SCONE), worker)
    worker.weight, worker.stake = 0, 0
    assert not eligibility.is_eligible(context, add_task(2), worker)


def test_a_worker_that_may_still_connect_after_a_start_is_eligible(
    context: EventContext, add_task: AddTask, add_worker: AddWorker
) -> None:
    worker = add_worker()
    worker.session, worker.weight, worker.stake = None, 0, None
    assert eligibility.has_eligible_worker(context, add_task(worker_stake=5))
    worker.stake = 0
    assert not eligibility.has_eligible_worker(context, add_task(2, worker_stake=5))


@pytest.mark.parametrize(
    ("failures", "successes", "awaited"), [(0, 0, True), (1, 0, False), (1, 1, True), (0, 1, True)]
)
def test_worker_silent_no_task_waits_for_a_worker_that_has_only_failed(
    context: EventContext,
    add_task: AddTask,
    add_worker: AddWorker,
    failures: int,
    successes: int,
    awaited: bool,
) -> None:
    worker, task = add_worker(), add_task()
    worker.worker.consecutive_failures, worker.worker.successes = failures, successes
    assert eligibility.has_eligible_worker(context, task) is awaited
    assert eligibility.may_try(context, task, worker.worker.wallet)


def test_no_worker_tries_a_task_twice(
    context: EventContext, add_task: AddTask, add_worker: AddWorker
) -> None:
    worker, task = add_worker(), add_task()
    transitions.create_replicate(context, task, "0xW", 2)
    assert not eligibility.may_try(context, task, worker.worker.wallet)


@pytest.mark.parametrize(("slot", "may"), [(4 << 30, False), ((4 << 30) + 1, True)])
def test_app_memory_only_a_larger_slot_may_try_again(
    context: EventContext, add_task: AddTask, add_worker: AddWorker, slot: int, may: bool
) -> None:
    add_worker("0xW")
    other, task = add_worker("0xX"), add_task()
    other.worker.model = replace(other.worker.model, slot_memory_bytes=slot)
    out_of_memory(context, task, "0xW")
    assert eligibility.may_try(context, task, "0xX") is may
