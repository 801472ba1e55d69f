"""Assignments that their worker does not start: case worker-silent and its siblings."""

from collections.abc import Callable

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.dispatch import assignment_timeouts
from workerpool_core.domain.policy import Policy
from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.scripted_pool import ScriptedPool

TIMEOUT_S = Policy().assignment_timeout_s


def test_worker_silent_an_assignment_without_starting_goes_to_the_next_worker_at_once(
    pool: ScriptedPool,
) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.connect(2)
    pool.wait(TIMEOUT_S - 0.1)
    assert pool.assigned(task) == ["0xWorker1"]
    pool.wait(0.1)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]
    last = pool.replicate(1, task).history[-1]
    assert (last.status, last.cause) == (R.ABORTED, ReplicateStatusCause.ASSIGNMENT_TIMEOUT)
    assert pool.commands(1) == ["ABORT"]


def test_worker_silent_the_silence_counts_like_a_failure_and_once_for_many_assignments(
    pool: ScriptedPool,
) -> None:
    pool.connect(1, slots=4)
    for _ in range(4):
        pool.ready()
    pool.wait(TIMEOUT_S)
    assert pool.scheduler.workers["0xWorker1"].worker.consecutive_failures == 1


def test_worker_silent_a_silent_worker_gets_nothing_new_until_it_reports(pool: ScriptedPool) -> None:
    pool.connect(1, slots=4)
    pool.ready()
    pool.wait(TIMEOUT_S)
    later = pool.ready()
    pool.beat(1)
    assert pool.assigned(later) == [], "a heartbeat is no answer"
    pool.connect(2)
    pool.acknowledge(1)
    assert pool.assigned(later) == ["0xWorker2"]
    assert pool.assigned(pool.ready())


def test_worker_silent_eight_silent_strangers_cost_a_free_task_one_short_attempt_each(
    make_pool: Callable[..., ScriptedPool],
) -> None:
    pool = make_pool()
    for number in range(1, 9):
        pool.connect(number, slots=16)
    bought_at = pool.now
    task = pool.ready()
    pool.wait(1)
    pool.connect(9)
    pool.live(8 * TIMEOUT_S, *range(1, 10))
    honest = pool.replicate(9, task)
    assert honest.history[0].date - bought_at <= 8 * TIMEOUT_S


def test_worker_silent_a_quarantine_follows_repeated_silence(pool: ScriptedPool) -> None:
    pool.connect(1)
    for _ in range(pool.policy.quarantine_after):
        pool.ready()
        pool.wait(TIMEOUT_S)
        pool.cut(1)
        pool.connect(1)
        pool.wait(TIMEOUT_S)
    assert pool.scheduler.workers["0xWorker1"].worker.quarantined_until > pool.now


def test_worker_silent_a_new_session_does_not_renew_the_limit(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.connect(2)
    for _ in range(4):
        pool.wait(TIMEOUT_S / 4 - 0.01)
        pool.cut(1)
        pool.connect(1)
    pool.wait(0.04)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]


def test_worker_silent_a_late_start_of_a_replaced_replicate_is_refused_with_abort(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.connect(2)
    pool.wait(TIMEOUT_S)
    (answer,) = pool.report(1, task, R.STARTING)
    assert (answer.outcome.value, answer.action.value) == ("REFUSED", "ABORT")


def test_worker_silent_a_late_start_is_accepted_while_no_other_worker_took_the_task(
    pool: ScriptedPool,
) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.wait(TIMEOUT_S + 1)
    (answer,) = pool.report(1, task, R.STARTING)
    assert answer.outcome is d.UpdateOutcome.ACCEPTED
    pool.connect(2)
    assert pool.assigned(task) == ["0xWorker1"], "the replicate is expected to contribute again"


def test_an_assignment_that_no_other_worker_can_take_is_resent(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.wait(4 * TIMEOUT_S)
    assert len(pool.sent(d.Assign, task_id=task)) == 2


def test_the_time_counts_from_the_moment_when_the_assignment_was_sent(pool: ScriptedPool) -> None:
    """A database outage delays the sending, which is not the worker's fault."""
    pool.sends_assignments = False
    pool.connect(1)
    task = pool.ready()
    pool.connect(2)
    pool.live(50, 1, 2)
    assert pool.assigned(task) == ["0xWorker1"]
    pool.handle(e.AssignmentsSent((("0xWorker1", task),)))
    pool.live(2 * TIMEOUT_S, 1, 2)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]


def test_a_process_that_was_suspended_reads_the_waiting_reports_first(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.connect(2)
    pool.now += 30
    pool.handle(e.Tick())
    assert pool.assigned(task) == ["0xWorker1"]
    pool.report(1, task, R.STARTING)
    pool.wait(TIMEOUT_S)
    assert pool.assigned(task) == ["0xWorker1"]


def test_after_a_restart_a_worker_has_the_liveness_window_to_connect(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.restart()
    pool.connect(2)
    pool.live(pool.policy.liveness_s - 1, 2)
    assert pool.assigned(task) == ["0xWorker1"]
    pool.connect(1)
    pool.live(TIMEOUT_S, 1, 2)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]


def test_a_notice_of_an_unknown_worker_is_ignored(pool: ScriptedPool) -> None:
    assert assignment_timeouts.sent is not None
    assert pool.handle(e.AssignmentsSent((("0xUnknown", pool.ready()),))) == []
