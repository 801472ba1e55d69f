"""Transactions that a reorganisation removes are repeated, and histories stay consistent."""

from collections.abc import Callable
from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain import transitions
from workerpool_core.domain.chain import chain_evidence
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Receipt, Task
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.scripted_pool import ScriptedPool

T = 300
HASH_A, HASH_B = "0x" + "aa" * 32, "0x" + "bb" * 32
GONE = ("UNSET", "0x")
K = e.TransactionKind


def contributed(pool: ScriptedPool, *numbers: int, trust: Any) -> TaskId:
    """Return a task to which these workers contributed, without a consensus."""
    pool.connect_all(*numbers, 9)
    task = pool.ready(trust=trust)
    for number in numbers:
        pool.compute(number, task)
        pool.report(number, task, R.CONTRIBUTING)
        pool.contribute(number, task)
    return task


def test_every_live_task_is_read_again(pool: ScriptedPool) -> None:
    first, second = pool.ready(), pool.to_consensus(1)
    effects = pool.revert(1)
    assert {read.task_id for read in effects if isinstance(read, d.ReadTask)} == {first, second}


def test_a_read_older_than_the_followed_head_is_repeated(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1)
    old = e.TaskRead(task, pool.block - 1, pool.chain_task(task), {}, pool.now)
    pool.answer_reads(old)
    assert pool.status(task) == "CONSENSUS_REACHED"
    pool.effects.clear()
    pool.wait(3)
    assert pool.sent(d.ReadTask, task_id=task)


# --- initializations ----------------------------------------------------------------------------


def test_a_removed_initialization_is_requested_again_and_no_worker_is_assigned_meanwhile(
    pool: ScriptedPool,
) -> None:
    task = pool.ready()
    pool.revert(1)
    pool.read(task, None)
    assert len(pool.sent(d.RequestTransaction, kind=K.INITIALIZE, task_id=task)) == 2
    pool.connect(1)
    assert pool.assigned(task) == []
    pool.mine(pool.log("INITIALIZE", task))
    assert pool.assigned(task) == ["0xWorker1"]
    assert pool.status(task) == "INITIALIZED"


def test_an_initialization_in_another_block_is_recorded_with_that_block(pool: ScriptedPool) -> None:
    task = pool.ready()
    pool.revert(1)
    pool.mine()
    pool.mine(pool.log("INITIALIZE", task))
    assert pool.task(task).initialization_block == pool.block
    assert pool.ledger.tasks[task].initialization_block == pool.block


# --- contributions ------------------------------------------------------------------------------


def test_a_removed_contribution_is_requested_again_and_counts_when_it_is_mined(pool: ScriptedPool) -> None:
    task = contributed(pool, 1, trust=5)
    pool.revert(1)
    pool.read(task, "ACTIVE", {1: GONE})
    assert pool.replicate(1, task).contribution_hash == ""
    assert pool.commands(1) == ["CONTRIBUTE"]
    assert pool.sent(d.SendCommand)[-1].resume, "a worker that forgot the task needs its assignment"
    history = pool.statuses(1, task)
    pool.contribute(1, task)
    assert pool.replicate(1, task).contribution_hash == HASH_A
    assert pool.statuses(1, task) == history, "CONTRIBUTED is entered once"


def test_a_contribution_that_is_on_the_new_branch_too_is_not_requested(pool: ScriptedPool) -> None:
    task = contributed(pool, 1, trust=5)
    pool.revert(1)
    pool.read(task, "ACTIVE", {1: ("CONTRIBUTED", HASH_A)})
    assert pool.commands(1) == []
    assert pool.replicate(1, task).contribution_hash == HASH_A


def test_no_other_worker_is_assigned_while_the_contribution_can_return(pool: ScriptedPool) -> None:
    task = contributed(pool, 1, 2, trust=3)
    pool.revert(2)
    pool.read(task, "ACTIVE", {1: GONE, 2: ("CONTRIBUTED", HASH_A)})
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]


def test_a_removed_contribution_of_a_worker_that_gave_up_is_replaced(pool: ScriptedPool) -> None:
    task = contributed(pool, 1, 2, trust=3)
    pool.report(1, task, R.ABORTED)
    pool.revert(2)
    pool.read(task, "ACTIVE", {1: GONE, 2: ("CONTRIBUTED", HASH_A)})
    assert "CONTRIBUTE" not in pool.commands(1)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2", "0xWorker9"]


def test_a_contribution_removed_with_its_initialization_is_requested_once(pool: ScriptedPool) -> None:
    """The worker itself waits for the initialization."""
    task = contributed(pool, 1, trust=5)
    pool.revert(2)
    for _ in range(2):
        pool.read(task, None, {1: GONE})
    pool.mine(pool.log("INITIALIZE", task))
    pool.read(task, "ACTIVE", {1: GONE})
    assert pool.commands(1) == ["CONTRIBUTE"]
    pool.contribute(1, task)
    assert pool.replicate(1, task).contribution_hash == HASH_A


# --- consensus ----------------------------------------------------------------------------------


def test_a_removed_consensus_reopens_the_task_until_it_returns(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1)
    pool.revert(1)
    pool.read(task, "ACTIVE", {1: GONE})
    assert pool.history(task)[-4:] == ["REOPENING", "REOPENED", "INITIALIZED", "RUNNING"]
    assert (pool.task(task).consensus, pool.task(task).consensus_block) == ("", 0)
    assert not [c for c in pool.ledger.commands.values() if c.action.value == "REVEAL"], "withdrawn"
    pool.contribute(1, task, consensus=True)
    assert pool.status(task) == "CONSENSUS_REACHED"
    assert pool.commands(1)[-1] == "REVEAL"


def test_the_remaining_contributions_still_count(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1, 2, trust=3)
    pool.revert(1)
    pool.read(task, "ACTIVE", {1: ("CONTRIBUTED", HASH_A), 2: GONE})
    assert [pool.commands(number)[-1] for number in (1, 2)] == ["REVEAL", "CONTRIBUTE"]
    pool.contribute(2, task, consensus=True)
    assert [pool.commands(number)[-1] for number in (1, 2)] == ["REVEAL", "REVEAL"]
    assert pool.task(task).consensus_block == pool.block


def test_a_consensus_in_another_block_is_revealed_with_that_block(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1)
    pool.acknowledge(1)
    pool.revert(1)
    pool.mine()
    pool.contribute(1, task, consensus=True)
    again = pool.sent(d.SendCommand)[-1]
    assert (again.command.action.value, again.command.block, again.resume) == ("REVEAL", pool.block, True)
    assert pool.history(task).count("CONSENSUS_REACHED") == 1


def test_another_consensus_on_the_new_branch_changes_winners_and_losers(pool: ScriptedPool) -> None:
    task = pool.to_computed(1, 2, 3, trust=5)
    pool.contribute(1, task, HASH_A)
    pool.contribute(2, task, HASH_B)
    pool.contribute(3, task, HASH_A, consensus=True)
    assert [pool.commands(number)[-1] for number in (1, 2, 3)] == ["REVEAL", "ABORT", "REVEAL"]
    pool.revert(1)
    pool.contribute(3, task, HASH_B, consensus=True)
    assert [pool.commands(number)[-1] for number in (1, 2, 3)] == ["ABORT", "REVEAL", "REVEAL"]
    assert pool.task(task).consensus == HASH_B


def test_a_consensus_removed_with_the_initialization_starts_the_task_over(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1)
    pool.revert(2)
    pool.read(task, None, {1: GONE})
    assert pool.history(task)[-3:] == ["REOPENED", "INITIALIZED", "RUNNING"]
    assert pool.commands(1)[-1] == "CONTRIBUTE"
    pool.mine(pool.log("INITIALIZE", task))
    pool.contribute(1, task, consensus=True)
    assert pool.status(task) == "CONSENSUS_REACHED"


# --- reveals ------------------------------------------------------------------------------------


def revealing(pool: ScriptedPool, task: TaskId, **contributions: Any) -> Any:
    """Answer a read with a REVEALING task without reveals."""
    pool.read(task, "REVEALING", {1: ("CONTRIBUTED", HASH_A)}, winners=1, reveals=0, value=HASH_A)


def test_a_removed_reveal_and_its_upload_are_requested_again_once(pool: ScriptedPool) -> None:
    task = pool.to_upload(1)
    pool.acknowledge(1)
    pool.effects.clear()
    pool.revert(1)
    revealing(pool, task)
    revealing(pool, task)
    assert [(c.command.action.value, c.resume) for c in pool.sent(d.SendCommand)] == [
        ("REVEAL", True),
        ("UPLOAD", True),
    ]
    pool.reveal(1, task)
    pool.upload(1, task)
    assert pool.status(task) == "FINALIZING"
    assert pool.statuses(1, task).count("REVEALED") == 1


@pytest.mark.parametrize("returns_by", ["logs", "a read"])
def test_an_upload_is_requested_again_once_the_removed_contribution_and_reveal_are_back(
    pool: ScriptedPool, returns_by: str
) -> None:
    """The worker's journal mines both again, so the reveal needs no command, but CONTRIBUTE ended the upload."""
    task = pool.to_upload(1)
    pool.acknowledge(1)
    pool.effects.clear()
    pool.revert(2)
    pool.read(task, "ACTIVE", {1: GONE})
    assert pool.commands(1) == ["CONTRIBUTE"]
    pool.acknowledge(1)
    pool.effects.clear()
    if returns_by == "logs":
        pool.contribute(1, task, consensus=True)
        pool.reveal(1, task)
    else:
        pool.read(task, "REVEALING", {1: ("PROVED", HASH_A)}, winners=1, reveals=1, value=HASH_A)
    assert pool.commands(1) == ["REVEAL", "UPLOAD"]
    pool.acknowledge(1)
    pool.effects.clear()
    pool.read(task, "REVEALING", {1: ("PROVED", HASH_A)}, winners=1, reveals=1, value=HASH_A)
    assert pool.commands(1) == [], "requested once"
    pool.upload(1, task)
    assert pool.status(task) == "FINALIZING"


def test_a_removed_reveal_of_an_ended_replicate_is_not_requested(pool: ScriptedPool) -> None:
    task = pool.to_upload(1)
    pool.acknowledge(1)
    pool.revert(1)
    pool.effects.clear()
    pool.now += 2 * T + 1
    revealing(pool, task)
    assert pool.commands(1) == []


def test_a_finalization_that_was_refused_without_the_reveal_is_retried(pool: ScriptedPool) -> None:
    task = pool.to_finalizing(1)
    pool.revert(1)
    for _ in range(3):
        pool.handle(e.TransactionAnswered(task, K.FINALIZE, False, reason="reverted"))
        revealing(pool, task)
        pool.wait(pool.policy.retry_s)
    assert pool.status(task) == "FINALIZING"
    assert len(pool.sent(d.RequestTransaction, kind=K.FINALIZE)) == 4


def test_refusals_soon_after_a_reorganisation_do_not_fail_the_task(pool: ScriptedPool) -> None:
    task = pool.to_finalizing(1)
    chain = {"contributions": {1: ("PROVED", HASH_A)}, "winners": 1, "reveals": 1, "value": HASH_A}
    pool.revert(1)
    pool.refuse(task, K.FINALIZE, "REVEALING", **chain)
    assert pool.status(task) == "FINALIZING"
    pool.wait(pool.policy.reorganisation_doubt_s)
    pool.refuse(task, K.FINALIZE, "REVEALING", **chain)
    assert pool.history(task)[-2:] == ["FINALIZE_FAILED", "FAILED"]


def test_a_contribution_on_chain_fills_in_the_statuses_that_were_not_reported(
    context: EventContext, add_task: Callable[..., Task], add_worker: Callable[..., LiveWorker]
) -> None:
    add_worker()
    replicate = transitions.create_replicate(context, add_task(), "0xW", 2)
    chain_evidence.contributed(context, replicate, "0xaa", Receipt(7, "0xtx"))
    assert replicate.contribution_hash == "0xaa"
    assert [change.status for change in replicate.history][-2:] == [R.CONTRIBUTING, R.CONTRIBUTED]
    assert [change.receipt for change in replicate.history][-2:] == [None, Receipt(7, "0xtx")]


def test_a_consensus_with_unknown_winners_is_read_again(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    task = add_task()
    chain_evidence.consensus(context, task, "0xaa", receipt=Receipt(7), reveal_deadline=2e6, winner_count=1)
    assert (task.consensus, context.writes) == ("", [])
    assert context.state.timers.next() == context.now + context.state.policy.retry_s
