"""Tasks that ended before core was restarted: what it would still have done about them, it does."""

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_poco.protocol.statuses import ReplicateStatus as R

T = 300
K = e.TransactionKind


def completed(pool):
    """A task whose finalization is mined; its worker has not said his last word."""
    task = pool.to_finalizing(1)
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    return task


def claimed(pool):
    """A task that nobody contributed to, and whose claim is mined."""
    task = pool.ready()
    pool.wait(10 * T + 1)
    pool.read(task, "ACTIVE")
    pool.mine(pool.log("CLAIMED", task))
    return task


def restart(pool):
    pool.effects.clear()
    return pool.restart()


ENDINGS = pytest.mark.parametrize(
    ("end", "kind"), [(completed, K.FINALIZE), (claimed, K.CLAIM)], ids=["a finalization", "a claim"]
)


def asked(pool, kind, task):
    return pool.sent(d.RequestTransaction, kind=kind, task_id=task)


@ENDINGS
@pytest.mark.parametrize("blocks", [0, 1, 63])
def test_what_vanishes_after_the_restart_is_asked_for_again(pool, end, kind, blocks):
    task = end(pool)
    for _ in range(blocks):
        pool.mine()
    restart(pool)
    pool.revert(blocks + 1)
    assert asked(pool, kind, task)


@ENDINGS
def test_what_vanished_before_the_restart_is_asked_for_until_it_stands(pool, end, kind):
    task = end(pool)
    pool.revert(1)
    pool.bury()
    restart(pool)
    assert len(asked(pool, kind, task)) == 1
    pool.wait(pool.policy.read_timeout_s)
    assert len(asked(pool, kind, task)) == 2
    pool.mine(pool.log("FINALIZE" if kind is K.FINALIZE else "CLAIMED", task, value="0x"))
    pool.effects.clear()
    pool.bury()
    assert not asked(pool, kind, task)


@ENDINGS
def test_what_stands_is_not_asked_for(pool, end, kind):
    task = end(pool)
    restart(pool)
    pool.bury()
    assert not asked(pool, kind, task)


@ENDINGS
def test_what_lies_deep_is_forgotten(pool, end, kind):
    task = end(pool)
    restart(pool)
    assert task in pool.scheduler.tasks
    pool.bury()
    assert task not in pool.scheduler.tasks


@ENDINGS
def test_what_lay_deep_is_not_taken_up(pool, end, kind):
    task = end(pool)
    pool.bury()
    restart(pool)
    assert task not in pool.scheduler.tasks


def test_a_worker_says_his_last_words(pool):
    task = completed(pool)
    restart(pool)
    pool.connect(1, held=(e.HeldReplicate(task, R.RESULT_UPLOADED, True, 0),))
    assert pool.commands(1) == ["COMPLETE"]
    answers = pool.report(1, task, R.COMPLETING, R.COMPLETED)
    assert [answer.outcome for answer in answers] == [d.UpdateOutcome.ACCEPTED] * 2
    assert pool.statuses(1, task)[-1] == "COMPLETED"


def test_a_worker_that_stays_away_is_waited_for_no_longer_than_any(pool):
    task = completed(pool)
    for _ in range(pool.policy.reorganisation_blocks):
        pool.mine()
    restart(pool)
    assert pool.scheduler.workers["0xWorker1"].held == {task}
    pool.wait(pool.policy.ended_retention_s + 1)
    assert task not in pool.scheduler.tasks
    assert pool.scheduler.workers["0xWorker1"].held == set()


def test_an_end_without_a_block_counts_as_one_in_the_newest_block_that_was_followed(pool):
    task = pool.to_finalizing(1)
    restart(pool)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, 0))
    pool.read(task, "COMPLETED")
    assert pool.ledger.tasks[task].final_block == pool.block


def test_an_end_that_was_heard_of_before_its_block_was_followed_is_looked_at_when_it_is(pool):
    """Its block may vanish before it is followed; then no reorganisation tells of it."""
    task = pool.to_finalizing(1)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, pool.block + 2))
    assert pool.status(task) == "COMPLETED"
    restart(pool)
    pool.mine()
    assert not pool.sent(d.ReadTask)
    pool.mine()
    assert pool.sent(d.ReadTask, task_id=task)
    pool.read(task, "REVEALING")
    assert asked(pool, K.FINALIZE, task)
