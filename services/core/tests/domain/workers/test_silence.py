"""Workers that stay connected but make no progress lose the replicate, and the failure counts once."""

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import ReplicateStatus

from services.core.tests.doubles.scripted_core import wallet
from services.core.tests.doubles.scripted_pool import TO_COMPUTED, ScriptedPool, T

R = ReplicateStatus
C = ReplicateStatusCause


def failures(pool: ScriptedPool, number: int) -> int:
    return pool.scheduler.workers[wallet(number)].worker.consecutive_failures


@pytest.mark.parametrize("reported", [1, 2, 4, 6])
def test_a_worker_that_is_silent_between_two_steps_is_replaced_soon(
    pool: ScriptedPool, reported: int
) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    pool.report(1, task, *TO_COMPUTED[:reported])
    pool.live(pool.policy.progress_timeout_s - 1, 1, 2)
    assert pool.assigned(task) == [wallet(1)]
    pool.live(2, 1, 2)
    assert pool.assigned(task) == [wallet(1), wallet(2)]
    last = pool.replicate(1, task).history[-1]
    assert (last.status, last.cause) == (R.ABORTED, C.EXECUTION_TIMEOUT)
    expected = f"The worker reported nothing for 60 s after {TO_COMPUTED[reported - 1]}."
    assert last.message == expected
    assert pool.sent(d.SendCommand)[-1].command.cause is C.EXECUTION_TIMEOUT
    assert failures(pool, 1) == 1


@pytest.mark.parametrize(("reported", "limit_s"), [(3, 1800.0), (5, 1800.0), (7, 2.0 * T)])
def test_downloads_and_the_computation_may_take_long(
    pool: ScriptedPool, reported: int, limit_s: float
) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    pool.report(1, task, *TO_COMPUTED[:reported])
    # The second worker contributes nothing either; the chain still accepts contributions.
    pool.live(T, 1, 2)
    assert pool.assigned(task) == [wallet(1), wallet(2)]
    pool.live(limit_s - T + pool.policy.progress_timeout_s - 1, 1, 2)
    assert failures(pool, 1) == 0
    pool.live(2, 1, 2)
    assert failures(pool, 1) == 1


def test_silence_counts_once(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING)
    pool.live(3 * T, 1)
    assert failures(pool, 1) == 1
    assert pool.commands(1) == ["ABORT"]


def test_a_worker_that_makes_progress_is_not_silent(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    for status in TO_COMPUTED:
        pool.live(30 if status is not R.STARTING else 5, 1)
        pool.report(1, task, status)
    pool.live(pool.policy.proof_timeout_s - 1, 1)
    pool.report(1, task, R.CONTRIBUTING)
    pool.live(pool.policy.proof_timeout_s - 1, 1)
    assert failures(pool, 1) == 0
    assert not pool.replicate(1, task).overdue


def test_a_late_contribution_gives_the_task_to_another_worker_and_counts_once_when_it_stays_away(
    pool: ScriptedPool,
) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    pool.compute(1, task)
    pool.report(1, task, R.CONTRIBUTING)
    pool.live(pool.policy.proof_timeout_s + 1, 1, 2)
    assert pool.assigned(task) == [wallet(1), wallet(2)]
    assert (failures(pool, 1), pool.commands(1)) == (0, [])
    pool.restart()
    pool.connect(1, held=(e.HeldReplicate(task, R.CONTRIBUTING, True, 0),))
    pool.live(3 * pool.policy.proof_timeout_s + 1, 1)
    assert failures(pool, 1) == 1
    pool.restart()
    pool.connect(1, held=(e.HeldReplicate(task, R.CONTRIBUTING, True, 0),))
    pool.live(3 * pool.policy.proof_timeout_s + 1, 1)
    assert failures(pool, 1) == 1


@pytest.mark.parametrize("reported", [R.COMPUTED, R.CONTRIBUTING, R.CONTRIBUTED])
def test_a_liar_that_never_contributes_ends_in_quarantine(
    pool: ScriptedPool, reported: ReplicateStatus
) -> None:
    pool.connect(1)
    for _ in range(pool.policy.quarantine_after):
        task = pool.ready()
        pool.compute(1, task)
        if reported is not R.COMPUTED:
            pool.report(1, task, R.CONTRIBUTING)
        if reported is R.CONTRIBUTED:
            pool.report(1, task, R.CONTRIBUTED)
    pool.live(3 * pool.policy.proof_timeout_s + 1, 1)
    assert pool.scheduler.workers[wallet(1)].worker.quarantined_until > pool.now


def test_a_worker_that_waits_for_a_decision_is_not_silent(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    pool.report(1, task, *TO_COMPUTED, cause=C.APP_COMPUTE_FAILED)
    pool.report(2, task, *TO_COMPUTED[:-1])
    pool.live(200, 1, 2)
    assert failures(pool, 1) == 0


def test_silence_while_the_chain_or_core_is_away_does_not_count(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING)
    pool.handle(e.ChainHealthChanged(False))
    pool.live(200, 1)
    assert failures(pool, 1) == 0
    pool.restart()
    pool.connect(1, held=(e.HeldReplicate(task, R.STARTING, False, 0),))
    pool.live(pool.policy.progress_timeout_s - 1, 1)
    assert failures(pool, 1) == 0
    pool.live(2, 1)
    assert failures(pool, 1) == 1


def test_a_contribution_of_an_aborted_replicate_counts_on_chain(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING)
    pool.live(pool.policy.progress_timeout_s + 1, 1)
    assert pool.statuses(1, task)[-1] == "ABORTED"
    pool.contribute(1, task, consensus=True)
    assert (pool.status(task), pool.commands(1)) == ("CONSENSUS_REACHED", ["ABORT", "REVEAL"])


def test_the_scheduler_is_the_author_of_an_abort(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING)
    pool.live(pool.policy.progress_timeout_s + 1, 1)
    assert pool.replicate(1, task).history[-1].modifier.value == "POOL_MANAGER"


@pytest.mark.parametrize("status", [R.STARTING, R.STARTED])
def test_a_worker_that_restarts_in_a_loop_loses_the_replicate_and_the_failure_counts(
    pool: ScriptedPool, status: ReplicateStatus
) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    pool.report(1, task, *TO_COMPUTED[: TO_COMPUTED.index(status) + 1])
    for _ in range(6):
        pool.cut(1)
        pool.live(5, 2)
        pool.connect(1, held=(e.HeldReplicate(task, status, False, 0),))
        pool.live(15, 1, 2)
    pool.live(5, 1, 2)
    assert pool.assigned(task) == [wallet(1), wallet(2)]
    assert failures(pool, 1) == 1


def test_a_worker_that_was_away_once_gets_time_to_continue(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    pool.report(1, task, R.STARTING)
    pool.live(10, 1, 2)
    pool.cut(1)
    pool.live(49, 2)
    pool.connect(1, held=(e.HeldReplicate(task, R.STARTING, False, 0),))
    pool.live(pool.policy.progress_timeout_s - 1, 1, 2)
    pool.report(1, task, R.STARTED)
    pool.live(30, 1, 2)
    assert (pool.assigned(task), failures(pool, 1)) == ([wallet(1)], 0)
