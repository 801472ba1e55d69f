"""What is learnt of a block before it is followed may vanish without a reorganisation that anybody tells of.

A worker's report is proven by a read of the chain, and the adapter says that its transaction is mined, sometimes
before the follower gets there. When another block stands in that place by then, only reading again shows it.
"""

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_poco.protocol.statuses import ReplicateStatus as R

HASH_A = "0x" + "aa" * 32
K = e.TransactionKind


@pytest.fixture
def ahead(pool):
    """Let the node be a block ahead of the follower while it answers."""

    def read(task, *args, **fields):
        pool.block += 1
        pool.read(task, *args, **fields)
        pool.block -= 1
        pool.effects.clear()

    return read


def reads(pool, task):
    return pool.sent(d.ReadTask, task_id=task)


def test_a_contribution_that_was_only_read_is_read_again_when_its_block_is_followed(pool, ahead):
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


def test_a_read_that_told_nothing_new_is_not_repeated(pool, ahead):
    task = pool.to_consensus(1)
    contributions = {1: ("CONTRIBUTED", HASH_A)}
    ahead(task, "REVEALING", contributions, winners=1, value=HASH_A)
    pool.mine()
    assert not reads(pool, task)


@pytest.mark.parametrize("logged", [False, True])
def test_an_initialization_that_the_adapter_told_of_is_read_unless_its_log_comes(pool, logged):
    (task,) = pool.deal()
    pool.handle(e.TransactionAnswered(task, K.INITIALIZE, True, pool.block + 1))
    pool.effects.clear()
    pool.mine(*([pool.log("INITIALIZE", task)] if logged else []))
    assert bool(reads(pool, task)) is not logged


@pytest.mark.parametrize("logged", [False, True])
def test_a_finalization_that_the_adapter_told_of_is_read_unless_its_log_comes(pool, logged):
    task = pool.to_finalizing(1)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, pool.block + 1))
    assert pool.status(task) == "COMPLETED"
    pool.effects.clear()
    pool.mine(*([pool.log("FINALIZE", task, value="0x")] if logged else []))
    assert bool(reads(pool, task)) is not logged


def test_a_finalization_that_never_was_followed_is_asked_for_again(pool):
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


# --- a report whose block was never followed ---------------------------------------------------


def waits_for_a_reveal(pool):
    """Two winners; the first has revealed, the second says so, and its block is replaced before it is followed."""
    task = pool.to_consensus(1, 2, trust=3)
    pool.report(1, task, R.REVEALING)
    pool.mine(pool.log("REVEAL", task, 1))
    pool.report(2, task, R.REVEALING, R.REVEALED)
    pool.acknowledge(2)
    pool.effects.clear()
    return task


def half_revealed(pool, task):
    contributions = {1: ("PROVED", HASH_A), 2: ("CONTRIBUTED", HASH_A)}
    pool.read(task, "REVEALING", contributions, winners=2, reveals=1, value=HASH_A)


def test_a_reveal_that_the_chain_does_not_show_is_asked_for_again_once(pool):
    task = waits_for_a_reveal(pool)
    half_revealed(pool, task)
    assert pool.commands(2) == []
    for _ in range(3):
        pool.wait(pool.policy.retry_s)
        half_revealed(pool, task)
    assert pool.commands(2) == ["REVEAL"]
    pool.mine(pool.log("REVEAL", task, 2))
    assert pool.statuses(2, task)[-1] == "REVEALED"


def test_a_contribution_that_the_chain_does_not_show_is_asked_for_again_once(pool):
    pool.connect(1)
    task = pool.ready(trust=1)
    pool.compute(1, task)
    pool.report(1, task, R.CONTRIBUTING, R.CONTRIBUTED)
    pool.effects.clear()
    for _ in range(3):
        pool.wait(pool.policy.retry_s)
        pool.read(task, "ACTIVE", {1: ("UNSET", "0x")})
    assert pool.commands(1) == ["CONTRIBUTE"]


def test_a_contribution_is_not_asked_for_again_when_the_chain_takes_none(pool):
    pool.connect(1)
    task = pool.ready(trust=1)
    pool.compute(1, task)
    pool.report(1, task, R.CONTRIBUTING, R.CONTRIBUTED)
    pool.effects.clear()
    pool.wait(pool.policy.retry_s)
    pool.read(task, "REVEALING", {1: ("UNSET", "0x")}, winners=1, value=HASH_A)
    assert "CONTRIBUTE" not in pool.commands(1)
