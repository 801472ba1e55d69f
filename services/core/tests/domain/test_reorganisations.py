"""Reorganisations: what the chain takes back is done again, and a record that cannot run backwards stays true."""

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e

HASH_A = "0x" + "aa" * 32
K = e.TransactionKind


def revert(pool, blocks):
    ancestor = pool.block - blocks
    effects = pool.handle(e.BlocksReverted(ancestor))
    pool.block = ancestor
    return effects


def test_a_reverted_initialization_is_asked_for_again_and_nothing_is_supplied_meanwhile(pool):
    task = pool.ready()
    assert [x for x in revert(pool, 1) if isinstance(x, d.ReadTask)]
    pool.read(task, None)
    assert pool.last
    assert pool.sent(d.RequestTransaction, kind=K.INITIALIZE)[-1]
    pool.connect(1)
    assert pool.assigned(task) == []
    pool.mine(pool.log("INITIALIZE", task))
    assert pool.assigned(task) == ["0xWorker1"]
    assert pool.status(task) == "INITIALIZED"


def test_a_reverted_contribution_is_asked_for_again_and_counts_when_it_returns(pool):
    for number in (1, 2, 3):
        pool.connect(number)
    task = pool.ready(trust=5)
    pool.compute(1, task)
    pool.contribute(1, task)
    revert(pool, 1)
    pool.read(task, "ACTIVE", {1: ("UNSET", "0x")})
    assert pool.replicate(1, task).contribution_hash == ""
    assert pool.commands(1) == ["CONTRIBUTE"]
    pool.contribute(1, task)
    assert pool.replicate(1, task).contribution_hash == HASH_A


def test_a_reverted_consensus_opens_the_task_again_until_it_returns(pool):
    task = pool.to_consensus(1)
    revert(pool, 1)
    pool.read(task, "ACTIVE", {1: ("UNSET", "0x")})
    assert pool.history(task)[-3:] == ["REOPENED", "INITIALIZED", "RUNNING"]
    pool.contribute(1, task, consensus=True)
    assert pool.status(task) == "CONSENSUS_REACHED"
    assert pool.commands(1)[-1] == "REVEAL"


def test_a_reverted_finalization_is_asked_for_again(pool):
    task = pool.to_finalizing(1)
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    pool.effects.clear()
    revert(pool, 1)
    assert pool.sent(d.RequestTransaction, kind=K.FINALIZE, task_id=task)
    assert pool.status(task) == "COMPLETED"


def test_a_read_older_than_the_followed_head_is_not_believed(pool):
    task = pool.to_consensus(1)
    old = e.TaskRead(task, pool.block - 1, pool.chain_task(task), {}, pool.now)
    pool.handle(old)
    assert pool.status(task) == "CONSENSUS_REACHED"
    pool.effects.clear()
    pool.wait(3)
    assert pool.sent(d.ReadTask, task_id=task)


def test_refusals_soon_after_a_reorganisation_fail_nothing(pool):
    task = pool.to_finalizing(1)
    chain = {"contributions": {1: ("PROVED", HASH_A)}, "winners": 1, "reveals": 1, "value": HASH_A}
    revert(pool, 1)
    pool.refuse(task, K.FINALIZE, "REVEALING", **chain)
    assert pool.status(task) == "FINALIZING"
    pool.wait(pool.policy.reorganisation_doubt_s)
    pool.refuse(task, K.FINALIZE, "REVEALING", **chain)
    assert pool.history(task)[-2:] == ["FINALIZE_FAILED", "FAILED"]
