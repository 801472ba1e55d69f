"""The chain weighs a worker when he contributes, the scheduler when he connects: the chain has the last word."""

import pytest
from workerpool_core.domain import events as e
from workerpool_poco.protocol.statuses import ReplicateStatus as R

HASH_A = "0x" + "aa" * 32


def agreed_here(pool, weight: int = 4) -> str:
    """Two contributions that are a consensus by the weights known here."""
    for number in (1, 2):
        pool.connect(number, weight=weight)
    task = pool.ready(trust=9)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]
    pool.connect_all(3, 4)
    for number in (1, 2):
        pool.compute(number, task)
        pool.report(number, task, R.CONTRIBUTING)
        pool.contribute(number, task)
    return task


def told(*numbers: int) -> dict[int, tuple[str, str]]:
    return {number: ("CONTRIBUTED", HASH_A) for number in numbers}


def test_without_consensus_on_chain_one_more_worker_is_asked_at_a_time(pool):
    task = agreed_here(pool)
    assert len(pool.assigned(task)) == 2
    pool.read(task, "ACTIVE", told(1, 2))
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2", "0xWorker3"]
    pool.read(task, "ACTIVE", told(1, 2))
    assert len(pool.assigned(task)) == 3
    pool.compute(3, task)
    pool.contribute(3, task)
    assert len(pool.assigned(task)) == 4


def test_with_consensus_nobody_is_asked(pool):
    task = agreed_here(pool)
    pool.read(task, "REVEALING", told(1, 2), winners=2, value=HASH_A)
    assert pool.status(task) == "CONSENSUS_REACHED"
    assert len(pool.assigned(task)) == 2


@pytest.mark.parametrize("known", [(), (1,)])
def test_a_read_that_does_not_tell_of_every_contribution_says_nothing(pool, known):
    task = agreed_here(pool)
    pool.read(task, "ACTIVE", told(*known))
    assert len(pool.assigned(task)) == 2


def test_while_somebody_may_still_contribute_nobody_is_asked(pool):
    pool.connect_all(1, 2, 3)
    task = pool.ready(trust=3)
    pool.compute(1, task)
    pool.contribute(1, task)
    pool.read(task, "ACTIVE", told(1))
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]


def test_the_reconciliation_is_what_finds_it(pool):
    task = agreed_here(pool)
    pool.handle(e.ReconcileDue())
    pool.read(task, "ACTIVE", told(1, 2))
    assert len(pool.assigned(task)) == 3
