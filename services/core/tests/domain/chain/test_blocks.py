"""The tasks of a deal that a reorganisation removed end, or continue when the deal is mined again."""

from dataclasses import replace
from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.chain.blocks import REVEAL_PERIODS
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C

from services.core.tests.doubles.scripted_pool import ScriptedPool

T = 300
GONE = ("UNSET", "0x")
K = e.TransactionKind


def refuse_initialization(pool: ScriptedPool, task: TaskId) -> None:
    """Refuse the initialization because the deal is unknown, as a read of the chain confirms."""
    pool.handle(e.TransactionAnswered(task, K.INITIALIZE, False, reason="TARGET_NOT_FOUND"))
    pool.read(task, None, {1: GONE})


def remove_deal(pool: ScriptedPool, task: TaskId, blocks: Any) -> None:
    """Remove the deal and everything after it; the deal is not mined again."""
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


def test_a_removed_deal_fails_its_task(pool: ScriptedPool) -> None:
    pool.connect(1)
    (task,) = pool.deal()
    remove_deal(pool, task, 1)
    assert pool.history(task)[-2:] == ["INITIALIZE_FAILED", "FAILED"]


@pytest.mark.parametrize("stage", ["computing", "contributed", "consensus"])
def test_a_removed_deal_frees_its_workers(pool: ScriptedPool, stage: Any) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.compute(1, task)
    if stage != "computing":
        pool.report(1, task, R.CONTRIBUTING)
        pool.contribute(1, task, consensus=stage == "consensus")
    remove_deal(pool, task, 3)
    assert pool.history(task)[-2:] == ["CONTRIBUTION_TIMEOUT", "FAILED"]
    assert (pool.commands(1)[-1], pool.sent(d.SendCommand)[-1].command.cause) == ("ABORT", C.TASK_NOT_ACTIVE)
    pool.report(1, task, R.ABORTED)
    pool.wait(11 * T)
    assert pool.sent(d.RequestTransaction, kind=K.CLAIM)
    pool.handle(e.TransactionAnswered(task, K.CLAIM, False, reason="DEAL_NOT_FOUND"))
    pool.effects.clear()
    pool.bury()
    assert task not in pool.scheduler.tasks
    assert not pool.sent(d.RequestTransaction, kind=K.CLAIM), "there is nothing to claim"


def test_a_revealed_task_of_a_removed_deal_ends_at_its_final_deadline(pool: ScriptedPool) -> None:
    task = pool.to_upload(1)
    remove_deal(pool, task, 4)
    assert pool.status(task) == "RESULT_UPLOADING"
    pool.wait(10 * T)
    pool.read(task, None, {1: GONE})
    assert pool.history(task)[-2:] == ["FINAL_DEADLINE_REACHED", "FAILED"]


def test_a_deal_in_another_block_has_the_deadlines_of_that_block(pool: ScriptedPool) -> None:
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


def test_a_consensus_starts_a_reveal_phase_of_two_category_times(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1)
    assert pool.task(task).reveal_deadline == pool.now + REVEAL_PERIODS * T


def test_the_logs_of_an_unknown_task_are_ignored(pool: ScriptedPool) -> None:
    unknown = pool.log("INITIALIZE", TaskId("0x" + "99" * 32))
    assert pool.mine(unknown) == []
    assert pool.ledger.cursor == (pool.block, f"0xb{pool.block}")
