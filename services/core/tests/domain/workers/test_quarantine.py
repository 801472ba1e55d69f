"""Pauses of workers: quarantine after failures, and drain by an operator."""

import math
from collections.abc import Callable

import pytest
from workerpool_core.domain import transitions
from workerpool_core.domain.decisions import ReadTask, SendDrain
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import WorkerDrained
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Task
from workerpool_core.domain.timers import Timeout
from workerpool_core.domain.workers import quarantine
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

R = ReplicateStatus
C = ReplicateStatusCause
AddTask = Callable[..., Task]
AddWorker = Callable[..., LiveWorker]


def test_each_failure_from_the_third_on_doubles_the_quarantine_up_to_its_maximum(
    context: EventContext, add_task: AddTask, add_worker: AddWorker
) -> None:
    worker, task = add_worker().worker, add_task()
    replicate = transitions.create_replicate(context, task, "0xW", 2)
    durations = []
    for _ in range(10):
        quarantine.count_failure(context, task, replicate, R.START_FAILED, C.STAKE_TOO_LOW)
        durations.append(max(worker.quarantined_until - context.now, 0.0))
    assert durations == [0, 0, 60, 120, 240, 480, 960, 1920, 3600, 3600]


@pytest.mark.parametrize(
    ("status", "cause", "counts", "reads"),
    [
        (R.COMPUTE_FAILED, C.UNKNOWN, True, False),
        (R.COMPUTE_FAILED, C.APP_COMPUTE_FAILED, False, False),
        (R.CONTRIBUTE_FAILED, C.UNKNOWN, True, True),
        (R.START_FAILED, C.TASK_NOT_ACTIVE, False, True),
        (R.ABORTED, C.UNKNOWN, False, False),
    ],
)
def test_a_failure_counts_by_its_cause_and_the_chain_is_read_if_it_may_know_more(
    context: EventContext,
    add_task: AddTask,
    add_worker: AddWorker,
    status: ReplicateStatus,
    cause: ReplicateStatusCause,
    counts: bool,
    reads: bool,
) -> None:
    worker, task = add_worker().worker, add_task()
    replicate = transitions.create_replicate(context, task, "0xW", 2)
    quarantine.count_failure(context, task, replicate, status, cause)
    assert worker.consecutive_failures == counts
    assert any(isinstance(effect, ReadTask) for effect in context.effects) is reads


def test_a_contribution_resets_the_count_with_one_write(
    context: EventContext, add_task: AddTask, add_worker: AddWorker
) -> None:
    worker = add_worker().worker
    replicate = transitions.create_replicate(context, add_task(), "0xW", 2)
    context.writes.clear()
    quarantine.reset_failures(context, replicate)
    assert context.writes == []
    worker.consecutive_failures = 2
    quarantine.reset_failures(context, replicate)
    assert (worker.consecutive_failures, len(context.writes)) == (0, 1)


def test_a_release_ends_the_quarantine_and_resets_the_count(
    context: EventContext, add_worker: AddWorker
) -> None:
    worker = add_worker().worker
    worker.quarantined_until, worker.consecutive_failures = context.now + 60, 3
    quarantine.released(context, "0xW")
    assert (worker.quarantined_until, worker.consecutive_failures) == (0.0, 0)


def test_a_drain_is_sent_to_a_connected_worker(context: EventContext, add_worker: AddWorker) -> None:
    worker = add_worker()
    quarantine.drained(context, WorkerDrained("0xW", context.now + 60))
    assert context.effects == [SendDrain("0xW", context.now + 60)]
    worker.session = None
    quarantine.drained(context, WorkerDrained("0xW", context.now + 90))
    assert len(context.effects) == 1
    quarantine.undrained(context, "0xW")
    assert worker.worker.drained_until == 0.0


def test_the_timer_is_set_to_the_next_end_and_never_for_an_infinite_drain(
    context: EventContext, add_worker: AddWorker
) -> None:
    worker = add_worker().worker
    worker.drained_until = math.inf
    quarantine.set_timer(context, worker)
    assert not context.state.timers.is_set(Timeout.PAUSE, "0xW")
    worker.quarantined_until = context.now + 60
    quarantine.set_timer(context, worker)
    assert context.state.timers.next() == context.now + 60


@pytest.mark.parametrize("order", [quarantine.undrained, quarantine.released])
def test_an_order_for_an_unknown_worker_is_ignored(
    context: EventContext, order: Callable[[EventContext, str], None]
) -> None:
    order(context, "0xUnknown")
    quarantine.drained(context, WorkerDrained("0xUnknown", 1.0))
    assert (context.writes, context.effects) == ([], [])
