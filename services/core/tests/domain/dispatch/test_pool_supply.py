"""The supply of the pool counts each bought task from the block of its deal to its consensus, exactly once."""

from typing import Any

import pytest
from workerpool_core.domain import events as e
from workerpool_core.domain.dispatch.pool_supply import PoolSupply

from services.core.tests.doubles.scripted_pool import GPU, ScriptedPool


def supply(pool: ScriptedPool, worker_stake: int = 0) -> PoolSupply:
    return pool.scheduler.supply(worker_stake, pool.now)


def counts(found: PoolSupply) -> tuple[int, int]:
    return found.free_slots, found.pending_slots


def test_an_idle_pool_offers_every_slot(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, slots=2)
    pool.connect(3, slots=4, gpus=1)
    found = supply(pool)
    assert (found.free_slots, found.total_slots, found.gpu_slots, found.live_workers) == (5, 5, 1, 3)
    assert [(g.capability.gpu, g.free_slots, g.workers) for g in found.groups] == [
        (False, 2, 2),
        (True, 1, 1),
    ]


def test_a_task_takes_one_slot_from_its_deal_to_its_contribution(pool: ScriptedPool) -> None:
    pool.connect(1, slots=3)
    (task,) = pool.deal()
    assert counts(supply(pool)) == (2, 1), "bought, not initialized"
    pool.mine(pool.log("INITIALIZE", task))
    assert counts(supply(pool)) == (2, 0), "assigned"
    pool.compute(1, task)
    assert supply(pool).free_slots == 3, "its result is computed"


def test_every_task_of_a_large_deal_is_pending(pool: ScriptedPool) -> None:
    pool.connect(1, slots=4)
    pool.deal(bot_size=500)
    found = supply(pool)
    assert found.free_slots == 0
    assert found.pending_slots == 500


def test_a_trust_takes_the_slots_of_several_workers(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, 3, slots=2)
    pool.wait(2)
    pool.deal(trust=3)
    assert counts(supply(pool)) == (4, 2)


def test_a_failed_task_needs_another_slot_until_every_worker_has_tried(pool: ScriptedPool) -> None:
    pool.connect(1, slots=1)
    task = pool.to_started(1)
    pool.connect(2, slots=1)
    assert counts(supply(pool)) == (1, 0)
    pool.cut(1)
    pool.live(70, 2)
    assert task in pool.scheduler.workers["0xWorker2"].held
    assert counts(supply(pool)) == (0, 0)


@pytest.mark.parametrize(
    ("instruction", "counted"),
    [(e.WorkerDrained("0xWorker1", float("inf")), (1, 0)), (None, (0, 0))],
    ids=["drained", "connected"],
)
def test_a_drained_worker_has_no_free_slot(
    pool: ScriptedPool, instruction: Any, counted: tuple[int, int]
) -> None:
    pool.connect_all(1, 2, slots=2)
    if instruction is not None:
        pool.handle(instruction)
    found = supply(pool)
    assert (found.drained_workers, found.quarantined_workers) == counted
    assert found.free_slots == (2 if instruction else 4)
    assert found.total_slots == 4


def test_a_lost_stream_takes_its_slots_away(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, slots=2)
    pool.cut(2)
    assert (supply(pool).free_slots, supply(pool).live_workers) == (2, 1)


def test_paid_tasks_are_limited_by_the_stake_and_the_record_of_each_worker(pool: ScriptedPool) -> None:
    pool.connect(1, slots=8)
    assert supply(pool, worker_stake=10).free_slots == 0, "an unknown stake counts as none"
    pool.handle(e.WeightsRead((("0xWorker1", 2),), (("0xWorker1", 15),)))
    assert supply(pool, worker_stake=10).free_slots == 1
    pool.handle(e.WeightsRead((("0xWorker1", 2),), (("0xWorker1", 1000),)))
    assert supply(pool, worker_stake=10).free_slots == 2, "a newcomer"
    assert supply(pool).free_slots == 8


def test_a_task_that_no_worker_can_run_takes_no_slot(pool: ScriptedPool) -> None:
    pool.connect(1, slots=2)
    pool.wait(2)
    pool.deal(tag=GPU)
    assert counts(supply(pool)) == (2, 0)


def test_nothing_is_accepted_while_the_chain_is_down(pool: ScriptedPool) -> None:
    assert supply(pool).accepts_work
    pool.handle(e.ChainHealthChanged(False))
    assert not supply(pool).accepts_work
