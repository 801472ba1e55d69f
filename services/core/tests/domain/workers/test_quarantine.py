"""Pauses of workers: quarantine after failures, and drain by an operator."""

import math
from collections.abc import Callable

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain import transitions
from workerpool_core.domain.decisions import ReadTask, SendDrain
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import WorkerDrained
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Task
from workerpool_core.domain.timers import Timeout
from workerpool_core.domain.workers import quarantine
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

from services.core.tests.doubles.scripted_pool import ScriptedPool, T

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
        quarantine.count_failure(context, task, replicate, R.START_FAILED, C.HOST_FAILED)
        durations.append(max(worker.quarantined_until - context.now, 0.0))
    assert durations == [0, 0, 60, 120, 240, 480, 960, 1920, 3600, 3600]


@pytest.mark.parametrize(
    ("status", "cause", "counts", "reads"),
    [
        (R.COMPUTE_FAILED, C.UNKNOWN, False, False),
        (R.COMPUTED, C.HOST_FAILED, True, False),
        (R.COMPUTED, None, False, False),
        (R.COMPUTED, C.APP_COMPUTE_FAILED, False, False),
        (R.START_FAILED, C.STAKE_TOO_LOW, False, False),
        (R.COMPUTE_FAILED, C.APP_COMPUTE_FAILED, False, False),
        (R.CONTRIBUTE_FAILED, C.UNKNOWN, False, True),
        (R.START_FAILED, C.TASK_NOT_ACTIVE, False, True),
        (R.ABORTED, C.UNKNOWN, False, False),
    ],
)
def test_a_failure_counts_by_its_cause_and_the_chain_is_read_if_it_may_know_more(
    context: EventContext,
    add_task: AddTask,
    add_worker: AddWorker,
    status: ReplicateStatus,
    cause: ReplicateStatusCause | None,
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


# --- the effect on assignments ------------------------------------------------------------------


def test_a_drained_worker_gets_no_task_until_the_drain_ends(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.handle(e.WorkerDrained("0xWorker1", pool.now + 30))
    assert pool.sent(d.SendDrain, wallet="0xWorker1")
    task = pool.ready()
    assert pool.assigned(task) == []
    pool.wait(29)
    assert pool.assigned(task) == []
    pool.wait(2)
    assert pool.assigned(task) == ["0xWorker1"]


def test_an_undrained_worker_gets_work_again(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.handle(e.WorkerDrained("0xWorker1", float("inf")))
    task = pool.ready()
    pool.handle(e.WorkerUndrained("0xWorker1"))
    assert pool.assigned(task) == ["0xWorker1"]


def test_each_consecutive_failure_doubles_the_quarantine(pool: ScriptedPool) -> None:
    pool.connect(1, slots=8)
    for _ in range(3):
        pool.report(1, pool.ready(), R.STARTING, R.START_FAILED, cause=C.HOST_FAILED)
    worker = pool.scheduler.workers["0xWorker1"].worker
    assert worker.quarantined_until == pool.now + 60
    task = pool.ready()
    assert pool.assigned(task) == []
    for _ in range(3):
        pool.wait(21)
        pool.beat(1)
    assert pool.assigned(task) == ["0xWorker1"]
    pool.report(1, task, R.STARTING, R.START_FAILED, cause=C.HOST_FAILED)
    assert worker.quarantined_until == pool.now + 120


def test_an_operator_ends_a_quarantine(pool: ScriptedPool) -> None:
    pool.connect(1, slots=8)
    for _ in range(3):
        pool.report(1, pool.ready(), R.STARTING, R.START_FAILED, cause=C.HOST_FAILED)
    task = pool.ready()
    pool.handle(e.WorkerReleased("0xWorker1"))
    assert pool.assigned(task) == ["0xWorker1"]


def test_failures_caused_by_the_requester_do_not_quarantine_the_worker(pool: ScriptedPool) -> None:
    pool.connect(1, slots=8)
    for _ in range(5):
        task = pool.ready()
        pool.report(1, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING, R.APP_DOWNLOADED)
        pool.report(1, task, R.DATA_DOWNLOADING, R.DATA_DOWNLOADED, R.COMPUTING)
        pool.report(1, task, R.COMPUTE_FAILED, cause=C.APP_COMPUTE_FAILED)
    assert pool.scheduler.workers["0xWorker1"].worker.quarantined_until == 0.0


def test_a_contribution_on_chain_resets_the_failure_count(pool: ScriptedPool) -> None:
    pool.connect(1, slots=8)
    for _ in range(2):
        pool.report(1, pool.ready(), R.STARTING, R.START_FAILED, cause=C.HOST_FAILED)
    pool.to_consensus(1)
    assert pool.scheduler.workers["0xWorker1"].worker.consecutive_failures == 0


def test_a_failure_that_other_workers_share_is_forgiven(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, 3)
    task = pool.ready()
    for number in (1, 2, 3):
        pool.report(number, task, R.STARTING, R.START_FAILED, cause=C.HOST_FAILED)
    failures = [pool.scheduler.workers[f"0xWorker{n}"].worker.consecutive_failures for n in (1, 2, 3)]
    assert failures == [0, 0, 0]


def test_a_forgiven_failure_ends_the_quarantine_that_it_caused(pool: ScriptedPool) -> None:
    pool.connect(1, slots=8)
    for _ in range(3):
        task = pool.ready()
        pool.report(1, task, R.STARTING, R.START_FAILED, cause=C.HOST_FAILED)
    worker = pool.scheduler.workers["0xWorker1"].worker
    assert worker.quarantined_until > pool.now
    pool.connect(2, slots=8)
    pool.report(2, task, R.STARTING, R.START_FAILED, cause=C.HOST_FAILED)
    assert (worker.consecutive_failures, worker.quarantined_until) == (2, 0.0)


@pytest.mark.parametrize(
    ("chain_s", "own_s", "counts"),
    [(-T, -T, True), (-T, 1.0, False), (1.0, -T, False), (-5.0, -T, False)],
    ids=["wrong-clock", "own-clock-passed", "chain-passed", "within-tolerance"],
)
def test_a_contribution_timeout_counts_only_long_before_the_deadline(
    pool: ScriptedPool, chain_s: float, own_s: float, counts: bool
) -> None:
    pool.connect(1)
    task = pool.ready()
    deadline = pool.task(task).terms.contribution_deadline
    pool.handle(e.BlockSeen(pool.block + 1, "0xb", deadline + chain_s))
    pool.now = deadline + own_s
    pool.report(1, task, R.STARTING, R.START_FAILED, cause=C.CONTRIBUTION_TIMEOUT)
    assert pool.scheduler.workers["0xWorker1"].worker.consecutive_failures == counts


def test_a_task_waits_a_moment_after_a_failure_of_the_chain(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    pool.report(1, task, R.STARTING, R.START_FAILED, cause=C.CHAIN_UNREACHABLE)
    assert pool.assigned(task) == ["0xWorker1"]
    pool.live(pool.policy.failure_pause_s, 1, 2)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]


# --- by an operator -----------------------------------------------------------------------------


def test_a_quarantine_by_the_operator_gives_no_work_until_its_end(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.handle(e.WorkerQuarantined("0xWorker1", pool.now + 60))
    task = pool.ready()
    assert pool.assigned(task) == []
    pool.live(59, 1)
    assert pool.assigned(task) == []
    pool.live(2, 1)
    assert pool.assigned(task) == ["0xWorker1"]


def test_a_quarantine_by_the_operator_lasts_whatever_the_worker_fails_or_succeeds_in(
    pool: ScriptedPool,
) -> None:
    pool.connect(1, slots=4)
    failing, succeeding = pool.ready(), pool.ready()
    pool.handle(e.WorkerQuarantined("0xWorker1", float("inf")))
    pool.report(1, failing, R.STARTING, R.START_FAILED)
    pool.compute(1, succeeding)
    pool.contribute(1, succeeding, consensus=True)
    assert pool.ledger.workers["0xWorker1"].consecutive_failures == 0
    assert pool.assigned(pool.ready()) == []


def test_the_quarantine_after_failures_does_not_shorten_that_of_the_operator(pool: ScriptedPool) -> None:
    pool.connect(1, slots=pool.policy.quarantine_after)
    tasks = [pool.ready() for _ in range(pool.policy.quarantine_after)]
    end = pool.now + 10_000
    pool.handle(e.WorkerQuarantined("0xWorker1", end))
    for task in tasks:
        pool.report(1, task, R.STARTING, R.START_FAILED)
    worker = pool.ledger.workers["0xWorker1"]
    assert worker.quarantined_until > pool.now
    assert worker.quarantine_end == end


def test_a_release_ends_both_quarantines(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.handle(e.WorkerQuarantined("0xWorker1", float("inf")))
    pool.handle(e.WorkerReleased("0xWorker1"))
    assert pool.ledger.workers["0xWorker1"].quarantine_end == 0.0
    assert pool.assigned(pool.ready()) == ["0xWorker1"]


def test_a_quarantine_by_the_operator_outlives_a_restart(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.handle(e.WorkerQuarantined("0xWorker1", pool.now + 60))
    pool.restart()
    pool.connect(1)
    task = pool.ready()
    assert pool.assigned(task) == []
    pool.live(61, 1)
    assert pool.assigned(task) == ["0xWorker1"]
