"""Tasks that ended before a restart of core are handled as without the restart."""

from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_poco.protocol.deadlines import CLOCK_MARGIN_S
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.scripted_pool import ScriptedPool

T = 300
K = e.TransactionKind


def completed(pool: ScriptedPool) -> TaskId:
    """Return a task whose finalization is mined; its worker has not reported COMPLETED."""
    task = pool.to_finalizing(1)
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    return task


def claimed(pool: ScriptedPool) -> TaskId:
    """Return a task without contributions whose claim is mined."""
    task = pool.ready()
    pool.wait(10 * T + CLOCK_MARGIN_S)
    pool.read(task, "ACTIVE")
    pool.mine(pool.log("CLAIMED", task))
    return task


def restart(pool: ScriptedPool) -> list[d.Effect]:
    pool.effects.clear()
    return pool.restart()


ENDINGS = pytest.mark.parametrize(
    ("end", "kind"), [(completed, K.FINALIZE), (claimed, K.CLAIM)], ids=["a finalization", "a claim"]
)


def requested(pool: ScriptedPool, kind: Any, task: TaskId) -> Any:
    return pool.sent(d.RequestTransaction, kind=kind, task_id=task)


@ENDINGS
@pytest.mark.parametrize("blocks", [0, 1, 63])
def test_a_transaction_that_a_later_reorganisation_removes_is_requested_again(
    pool: ScriptedPool, end: Any, kind: Any, blocks: Any
) -> None:
    task = end(pool)
    for _ in range(blocks):
        pool.mine()
    restart(pool)
    pool.revert(blocks + 1)
    assert requested(pool, kind, task)


@ENDINGS
def test_a_transaction_that_was_removed_before_the_restart_is_requested_until_it_is_mined(
    pool: ScriptedPool, end: Any, kind: Any
) -> None:
    task = end(pool)
    pool.revert(1)
    pool.bury()
    restart(pool)
    assert len(requested(pool, kind, task)) == 1
    pool.wait(pool.policy.read_timeout_s)
    assert len(requested(pool, kind, task)) == 2
    pool.mine(pool.log("FINALIZE" if kind is K.FINALIZE else "CLAIMED", task, value="0x"))
    pool.effects.clear()
    pool.bury()
    assert not requested(pool, kind, task)


@ENDINGS
def test_a_mined_transaction_is_not_requested(pool: ScriptedPool, end: Any, kind: Any) -> None:
    task = end(pool)
    restart(pool)
    pool.bury()
    assert not requested(pool, kind, task)


@ENDINGS
def test_a_task_closed_in_a_deep_block_is_evicted(pool: ScriptedPool, end: Any, kind: Any) -> None:
    task = end(pool)
    restart(pool)
    assert task in pool.scheduler.tasks
    pool.bury()
    assert task not in pool.scheduler.tasks


@ENDINGS
def test_a_task_closed_in_a_deep_block_is_not_loaded(pool: ScriptedPool, end: Any, kind: Any) -> None:
    task = end(pool)
    pool.bury()
    restart(pool)
    assert task not in pool.scheduler.tasks


def test_a_worker_can_report_completed_after_the_restart(pool: ScriptedPool) -> None:
    task = completed(pool)
    restart(pool)
    pool.connect(1, held=(e.HeldReplicate(task, R.RESULT_UPLOADED, True, 0),))
    assert pool.commands(1) == ["COMPLETE"]
    answers = pool.report(1, task, R.COMPLETING, R.COMPLETED)
    assert [answer.outcome for answer in answers] == [d.UpdateOutcome.ACCEPTED] * 2
    assert pool.statuses(1, task)[-1] == "COMPLETED"


def test_a_task_of_an_absent_worker_is_evicted_after_the_retention(pool: ScriptedPool) -> None:
    task = completed(pool)
    for _ in range(pool.policy.reorganisation_blocks):
        pool.mine()
    restart(pool)
    assert pool.scheduler.workers["0xWorker1"].held == {task}
    pool.wait(pool.policy.ended_retention_s + 1)
    assert task not in pool.scheduler.tasks
    assert pool.scheduler.workers["0xWorker1"].held == set()


def test_an_end_without_a_block_counts_as_in_the_newest_followed_block(pool: ScriptedPool) -> None:
    task = pool.to_finalizing(1)
    restart(pool)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, 0))
    pool.read(task, "COMPLETED")
    assert pool.ledger.tasks[task].final_block == pool.block


def test_an_end_that_was_reported_before_its_block_was_followed_is_read_again(pool: ScriptedPool) -> None:
    """Its block can be replaced before it is followed, without a BlocksReverted."""
    task = pool.to_finalizing(1)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, pool.block + 2))
    assert pool.status(task) == "COMPLETED"
    restart(pool)
    pool.mine()
    assert not pool.sent(d.ReadTask)
    pool.mine()
    assert pool.sent(d.ReadTask, task_id=task)
    pool.read(task, "REVEALING")
    assert requested(pool, K.FINALIZE, task)
