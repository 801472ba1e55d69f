"""A finalization that a reorganisation took back is repeated; what others say of the lost branch settles nothing."""

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_poco.protocol.statuses import ReplicateStatus as R

T = 300
HASH_A = "0x" + "aa" * 32
K = e.TransactionKind


def completed(pool):
    """A task whose finalization is mined and whose worker has said his last word."""
    task = pool.to_finalizing(1)
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    pool.report(1, task, R.COMPLETING, R.COMPLETED)
    pool.wait(1)
    pool.effects.clear()
    return task


def finalizations(pool, task):
    return pool.sent(d.RequestTransaction, kind=K.FINALIZE, task_id=task)


def test_a_finalization_is_asked_for_again_until_it_stands(pool):
    task = completed(pool)
    pool.revert(1)
    (asked,) = finalizations(pool, task)
    assert asked.result_link
    pool.wait(60)
    assert len(finalizations(pool, task)) > 1
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, pool.block + 1))
    pool.read(task, "COMPLETED")
    pool.effects.clear()
    pool.wait(60)
    assert not finalizations(pool, task)
    assert pool.history(task)[-1] == "COMPLETED"


def test_an_answer_about_the_branch_that_is_gone_does_not_settle_it(pool):
    """The adapter saw the finalization mined, and says so when the scheduler knows already that it vanished."""
    task = completed(pool)
    gone = pool.block
    pool.revert(1)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, gone))
    pool.effects.clear()
    pool.read(task, "REVEALING")
    pool.wait(pool.policy.retry_s)
    assert finalizations(pool, task)


def test_an_answer_soon_after_a_reorganisation_completes_nothing_that_the_chain_has_open(pool):
    task = pool.to_finalizing(1)
    pool.revert(1)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, pool.block + 1))
    assert pool.status(task) == "FINALIZING"
    pool.read(task, "COMPLETED")
    assert pool.status(task) == "COMPLETED"


def test_only_the_finalization_itself_says_that_it_stands_again(pool):
    task = completed(pool)
    pool.revert(3)
    pool.mine(pool.log("CONTRIBUTE", task, 1, HASH_A), pool.log("CONSENSUS", task, value=HASH_A))
    pool.effects.clear()
    pool.wait(60)
    assert finalizations(pool, task)
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    pool.wait(60)
    pool.effects.clear()
    pool.wait(60)
    assert not finalizations(pool, task)


def test_one_that_was_taken_back_twice_is_asked_for_twice(pool):
    task = completed(pool)
    pool.revert(1)
    for _ in range(5):
        pool.mine()
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    pool.effects.clear()
    pool.revert(1)
    assert finalizations(pool, task)


def test_a_branch_that_holds_the_finalization_changes_nothing(pool):
    task = completed(pool)
    for _ in range(3):
        pool.mine()
    pool.revert(3)
    assert not finalizations(pool, task)


def test_64_blocks_later_it_counts_as_there_to_stay(pool):
    task = completed(pool)
    for _ in range(pool.policy.reorganisation_blocks - 1):
        pool.mine()
    pool.wait(pool.policy.ended_retention_s + 1)
    assert task in pool.scheduler.tasks
    pool.mine()
    pool.wait(pool.policy.ended_retention_s + 1)
    assert task not in pool.scheduler.tasks


def test_one_that_never_stands_again_refunds_the_requester(pool):
    """The reveal vanished with it, and the worker that could repeat it has left."""
    task = completed(pool)
    pool.revert(2)
    pool.wait(10 * T)
    assert pool.sent(d.RequestTransaction, kind=K.CLAIM, task_id=task)
    pool.mine(pool.log("CLAIMED", task))
    pool.bury()
    assert task not in pool.scheduler.tasks
    assert pool.history(task)[-1] == "COMPLETED"
