"""Changes that are learned before their block is followed can disappear without a BlocksReverted.

A worker's report is proven by a read of the chain, and the adapter says that its transaction is mined, sometimes
before the follower gets there. When another block stands in that place by then, only reading again shows it.
"""

from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.chain import reconciliation
from workerpool_core.domain.event_context import EventContext
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.scripted_pool import ScriptedPool

HASH_A = "0x" + "aa" * 32
K = e.TransactionKind


@pytest.fixture
def ahead(pool: ScriptedPool) -> Any:
    """Answer reads from a block that is not followed yet."""

    def read(task: TaskId, *args: Any, **fields: Any) -> Any:
        pool.block += 1
        pool.read(task, *args, **fields)
        pool.block -= 1
        pool.effects.clear()

    return read


def reads(pool: ScriptedPool, task: TaskId) -> Any:
    return pool.sent(d.ReadTask, task_id=task)


def test_a_contribution_that_was_only_read_is_read_again_once_its_block_is_followed(
    pool: ScriptedPool, ahead: Any
) -> None:
    pool.connect(1)
    task = pool.ready(trust=1)
    pool.compute(1, task)
    pool.report(1, task, R.CONTRIBUTING, R.CONTRIBUTED)
    ahead(task, "ACTIVE", {1: ("CONTRIBUTED", HASH_A)})
    assert pool.statuses(1, task)[-1] == "CONTRIBUTED"
    pool.mine()
    assert reads(pool, task)
    pool.read(task, "ACTIVE", {1: ("UNSET", "0x")})
    assert pool.commands(1) == ["CONTRIBUTE"]


def test_a_read_without_news_is_not_repeated(pool: ScriptedPool, ahead: Any) -> None:
    task = pool.to_consensus(1)
    contributions = {1: ("CONTRIBUTED", HASH_A)}
    ahead(task, "REVEALING", contributions, winners=1, value=HASH_A)
    pool.mine()
    assert not reads(pool, task)


@pytest.mark.parametrize("logged", [False, True])
def test_an_initialization_reported_by_the_adapter_is_read_unless_its_log_follows(
    pool: ScriptedPool, logged: Any
) -> None:
    (task,) = pool.deal()
    pool.handle(e.TransactionAnswered(task, K.INITIALIZE, True, pool.block + 1))
    pool.effects.clear()
    pool.mine(*([pool.log("INITIALIZE", task)] if logged else []))
    assert bool(reads(pool, task)) is not logged


@pytest.mark.parametrize("logged", [False, True])
def test_a_finalization_reported_by_the_adapter_is_read_unless_its_log_follows(
    pool: ScriptedPool, logged: Any
) -> None:
    task = pool.to_finalizing(1)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, pool.block + 1))
    assert pool.status(task) == "COMPLETED"
    pool.effects.clear()
    pool.mine(*([pool.log("FINALIZE", task, value="0x")] if logged else []))
    assert bool(reads(pool, task)) is not logged


def test_a_finalization_that_was_never_followed_is_requested_again(pool: ScriptedPool) -> None:
    task = pool.to_finalizing(1)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, pool.block + 1))
    pool.mine()
    pool.effects.clear()
    pool.read(task, "REVEALING", {1: ("PROVED", HASH_A)}, winners=1, reveals=1, value=HASH_A)
    assert pool.sent(d.RequestTransaction, kind=K.FINALIZE, task_id=task)
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    pool.effects.clear()
    pool.wait(60)
    assert not pool.sent(d.RequestTransaction, kind=K.FINALIZE, task_id=task)


# --- reports whose block is never followed ------------------------------------------------------


def with_unfollowed_reveal(pool: ScriptedPool) -> TaskId:
    """Two winners: one revealed, the other reports a reveal whose block is replaced before it is followed."""
    task = pool.to_consensus(1, 2, trust=3)
    pool.report(1, task, R.REVEALING)
    pool.mine(pool.log("REVEAL", task, 1))
    pool.report(2, task, R.REVEALING, R.REVEALED)
    pool.acknowledge(2)
    pool.effects.clear()
    return task


def half_revealed(pool: ScriptedPool, task: TaskId) -> Any:
    contributions = {1: ("PROVED", HASH_A), 2: ("CONTRIBUTED", HASH_A)}
    pool.read(task, "REVEALING", contributions, winners=2, reveals=1, value=HASH_A)


def test_a_reported_reveal_that_is_not_on_chain_is_requested_again_once(pool: ScriptedPool) -> None:
    task = with_unfollowed_reveal(pool)
    half_revealed(pool, task)
    assert pool.commands(2) == []
    for _ in range(3):
        pool.wait(pool.policy.retry_s)
        half_revealed(pool, task)
    assert pool.commands(2) == ["REVEAL"]
    pool.mine(pool.log("REVEAL", task, 2))
    assert pool.statuses(2, task)[-1] == "REVEALED"


def test_a_reported_contribution_that_is_not_on_chain_is_requested_again_once(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready(trust=1)
    pool.compute(1, task)
    pool.report(1, task, R.CONTRIBUTING, R.CONTRIBUTED)
    pool.effects.clear()
    for _ in range(3):
        pool.wait(pool.policy.retry_s)
        pool.read(task, "ACTIVE", {1: ("UNSET", "0x")})
    assert pool.commands(1) == ["CONTRIBUTE"]


def test_a_contribution_is_not_requested_again_when_the_chain_accepts_none(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready(trust=1)
    pool.compute(1, task)
    pool.report(1, task, R.CONTRIBUTING, R.CONTRIBUTED)
    pool.effects.clear()
    pool.wait(pool.policy.retry_s)
    pool.read(task, "REVEALING", {1: ("UNSET", "0x")}, winners=1, value=HASH_A)
    assert "CONTRIBUTE" not in pool.commands(1)


def test_a_read_of_an_unknown_task_is_ignored(context: EventContext) -> None:
    reconciliation.reconcile(context, e.TaskRead(TaskId("0x1"), 5, None, {}))
    assert (context.writes, context.effects) == ([], [])
