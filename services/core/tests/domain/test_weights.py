"""A worker's weight follows his score on chain: read again whenever it may have changed."""

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e

HASH_A, HASH_B = "0x" + "aa" * 32, "0x" + "bb" * 32


def weighed(pool) -> list[str]:
    """Whose weights the last event asked for."""
    return sorted(effect.wallet for effect in pool.last if isinstance(effect, d.ReadWeight))


def test_a_reconciliation_weighs_connected_workers_that_work_or_cannot(pool):
    pool.connect(1)
    assert pool.assigned(pool.ready()) == ["0xWorker1"]
    pool.connect(2)
    pool.connect(3, weight=0)
    pool.connect(4, weight=0)
    pool.cut(4)
    pool.handle(e.ReconcileDue())
    assert weighed(pool) == ["0xWorker1", "0xWorker3"]


def test_a_finalized_task_changes_its_contributors_scores(pool):
    task = pool.to_finalizing(1, 2, trust=3)
    pool.mine(pool.log("FINALIZE", task))
    assert pool.status(task) == "COMPLETED"
    assert weighed(pool) == ["0xWorker1", "0xWorker2"]


def test_a_contributor_alone_is_not_weighed_again(pool):
    task = pool.to_finalizing(1)
    pool.mine(pool.log("FINALIZE", task))
    assert weighed(pool) == []


def test_a_reopening_costs_the_winners_score(pool):
    task = pool.to_consensus(1, 2, trust=3)
    pool.mine(pool.log("REOPEN", task))
    assert weighed(pool) == ["0xWorker1", "0xWorker2"]


def test_a_claim_costs_every_contributor_score(pool):
    task = pool.to_consensus(1, 2, trust=3)
    pool.mine(pool.log("CLAIMED", task))
    assert pool.history(task)[-1] == "FAILED"
    assert weighed(pool) == ["0xWorker1", "0xWorker2"]


def test_s09_a_worker_that_cannot_pay_for_gas_gets_no_work_until_it_can(pool):
    pool.connect(1, weight=0)
    task = pool.ready()
    assert pool.assigned(task) == []
    pool.handle(e.WeightsRead((("0xWorker1", 2),)))
    assert pool.assigned(task) == ["0xWorker1"]
    pool.handle(e.WeightsRead((("0xWorker1", 0),)))
    assert pool.assigned(pool.ready()) == []
