"""A deal that a reorganisation took back: its tasks end, or go on when it comes back in another block."""

from dataclasses import replace

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C

T = 300
GONE = ("UNSET", "0x")
K = e.TransactionKind


def refuse_initialization(pool, task):
    """The adapter says that it knows no such deal, and the chain agrees."""
    pool.handle(e.TransactionAnswered(task, K.INITIALIZE, False, reason="TARGET_NOT_FOUND"))
    pool.read(task, None, {1: GONE})


def vanished(pool, task, blocks):
    """The deal goes with everything that followed, and nobody buys it again."""
    pool.revert(blocks)
    pool.read(task, None, {1: GONE})
    end = pool.now + pool.policy.reorganisation_doubt_s
    while pool.now < end:
        refuse_initialization(pool, task)
        pool.beat(1)
        pool.wait(15)
    assert not pool.task(task).ended, "it may be on its way back"
    refuse_initialization(pool, task)
    pool.wait(pool.policy.retry_s)
    refuse_initialization(pool, task)


def test_a_deal_that_does_not_come_back_ends_its_task(pool):
    pool.connect(1)
    (task,) = pool.deal()
    vanished(pool, task, 1)
    assert pool.history(task)[-2:] == ["INITIALIZE_FAILED", "FAILED"]


@pytest.mark.parametrize("stage", ["computing", "contributed", "consensus"])
def test_its_workers_are_set_free(pool, stage):
    pool.connect(1)
    task = pool.ready()
    pool.compute(1, task)
    if stage != "computing":
        pool.report(1, task, R.CONTRIBUTING)
        pool.contribute(1, task, consensus=stage == "consensus")
    vanished(pool, task, 3)
    assert pool.history(task)[-2:] == ["CONTRIBUTION_TIMEOUT", "FAILED"]
    assert (pool.commands(1)[-1], pool.sent(d.SendCommand)[-1].command.cause) == ("ABORT", C.TASK_NOT_ACTIVE)
    pool.report(1, task, R.ABORTED)
    pool.wait(11 * T)
    assert task not in pool.scheduler.tasks
    assert not pool.sent(d.RequestTransaction, kind=K.CLAIM), "there is nothing to claim"


def test_one_that_was_revealed_ends_at_its_final_deadline(pool):
    task = pool.to_upload(1)
    vanished(pool, task, 4)
    assert pool.status(task) == "RESULT_UPLOADING"
    pool.wait(10 * T)
    pool.read(task, None, {1: GONE})
    assert pool.history(task)[-2:] == ["FINAL_DEADLINE_REACHED", "FAILED"]


def test_a_deal_that_comes_back_goes_on_with_the_deadlines_of_its_new_block(pool):
    terms = pool.terms()
    pool.mine(deals=(e.DealSeen(terms),))
    (task,) = pool.ledger.tasks
    pool.revert(1)
    pool.read(task, None)
    refuse_initialization(pool, task)
    pool.mine()
    later = replace(
        terms,
        block=pool.block + 1,
        start_time=terms.start_time + 20,
        contribution_deadline=terms.contribution_deadline + 20,
        final_deadline=terms.final_deadline + 20,
    )
    pool.mine(deals=(e.DealSeen(later),))
    assert pool.task(task).terms == pool.ledger.tasks[task].terms == later
    pool.mine(pool.log("INITIALIZE", task))
    pool.effects.clear()
    pool.wait(later.contribution_deadline - 1 - pool.now)
    assert not pool.sent(d.ReadTask), "the deadline that it had before means nothing now"
    pool.wait(1)
    assert pool.sent(d.ReadTask, task_id=task)
