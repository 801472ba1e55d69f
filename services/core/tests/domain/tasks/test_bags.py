"""Bags of tasks, created as workers can serve them: case deal-dry-bag and its siblings."""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from time import thread_time

import pytest
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.tasks import bags
from workerpool_poco.protocol.ids import TaskId, task_id_of

from services.core.tests.doubles.scripted_pool import ScriptedPool

MILLION = 1_000_000
AHEAD = Policy().tasks_ahead
MakePool = Callable[..., ScriptedPool]


def take_bag(pool: ScriptedPool, size: int, **changes: object) -> e.DealSeen:
    deal = e.DealSeen(pool.terms(bot_size=size, **changes))
    pool.deals += 1
    pool.mine(deals=(deal,))
    pool.wait(0)
    return deal


def initialize_all(pool: ScriptedPool) -> list[TaskId]:
    new = [task_id for task_id, task in pool.scheduler.tasks.items() if task.status.value == "INITIALIZING"]
    pool.mine(*(pool.log("INITIALIZE", task_id) for task_id in new))
    pool.wait(0)
    return new


def finish(pool: ScriptedPool, number: int, task: TaskId) -> None:
    pool.compute(number, task)
    pool.contribute(number, task, consensus=True)
    pool.mine(pool.log("FINALIZE", task, value="0x"))


def test_deal_dry_bag_a_million_tasks_become_a_window_of_tasks(pool: ScriptedPool) -> None:
    take_bag(pool, MILLION)
    assert len(pool.scheduler.tasks) == len(pool.ledger.tasks) == AHEAD
    assert pool.scheduler.queued_tasks == MILLION - AHEAD


def longest_turn(pool: ScriptedPool, size: int) -> float:
    """Return the longest turn, in seconds of processor time, while a bag is taken and its first tasks are served."""
    turns = []
    original = pool.scheduler.handle

    def timed(event: e.Event, now: float) -> d.Outcome:
        started = thread_time()
        outcome = original(event, now)
        Store.encode(outcome.writes)  # the event loop also encodes what the store gets
        turns.append(thread_time() - started)
        return outcome

    pool.scheduler.handle = timed  # type: ignore[method-assign]
    take_bag(pool, size)
    for number in range(1, 5):
        pool.connect(number, slots=16)
        initialize_all(pool)
    return max(turns)


def test_deal_dry_bag_no_turn_is_longer_than_with_a_small_bag(make_pool: MakePool) -> None:
    turns = [(longest_turn(make_pool(), 4 * AHEAD), longest_turn(make_pool(), MILLION)) for _ in range(3)]
    small, large = (min(times) for times in zip(*turns, strict=True))
    assert large < 3 * small
    assert large < 0.05


def memory_of(pool: ScriptedPool, size: int) -> int:
    tracemalloc.start()
    take_bag(pool, size)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_deal_dry_bag_memory_does_not_depend_on_the_size(make_pool: MakePool) -> None:
    small, large = memory_of(make_pool(), 4 * AHEAD), memory_of(make_pool(), MILLION)
    assert large < 1.2 * small


def test_deal_dry_bag_further_tasks_follow_when_workers_take_some(pool: ScriptedPool) -> None:
    take_bag(pool, MILLION)
    initialize_all(pool)
    pool.connect(1, slots=20)
    created = len(pool.scheduler.tasks)
    assert created == AHEAD + 20
    initialize_all(pool)
    assert sum(not task.replicates for task in pool.scheduler.tasks.values()) == AHEAD


def test_deal_dry_bag_a_larger_pool_has_a_larger_window(pool: ScriptedPool) -> None:
    take_bag(pool, MILLION)
    for number in range(1, 4):
        pool.connect(number, slots=64)
    pool.wait(0)
    assert len(pool.scheduler.tasks) == 2 * 3 * 64
    pool.cut(1)
    pool.wait(0)
    assert len(pool.scheduler.tasks) == 2 * 3 * 64


@pytest.mark.parametrize("size", [1, AHEAD - 1, AHEAD, AHEAD + 1, 3 * AHEAD])
def test_deal_dry_bag_every_task_is_created_and_completed(pool: ScriptedPool, size: int) -> None:
    deal = take_bag(pool, size)
    pool.connect(1, slots=16)
    done: set[TaskId] = set()
    while len(done) < size:
        initialize_all(pool)
        ready = [i for i, t in pool.scheduler.tasks.items() if t.replicates and not t.ended]
        assert ready
        for task_id in ready:
            finish(pool, 1, task_id)
            done.add(task_id)
    assert done == {task_id_of(deal.terms.deal_id, index) for index in range(size)}
    assert pool.scheduler.queued_tasks == 0


def test_deal_dry_bag_a_restart_continues_after_the_last_stored_task(pool: ScriptedPool) -> None:
    deal = take_bag(pool, MILLION)
    pool.restart()
    pool.wait(0)
    assert len(pool.ledger.tasks) == AHEAD
    initialize_all(pool)
    pool.connect(1, slots=20)
    indexes = sorted(task.index for task in pool.ledger.tasks.values())
    assert indexes == list(range(AHEAD + 20))
    pool.mine(deals=(deal,))
    assert len(pool.ledger.tasks) == AHEAD + 20, "a replayed block creates nothing"


def test_deal_dry_bag_an_ended_task_is_not_created_again_by_a_replay(pool: ScriptedPool) -> None:
    deal = take_bag(pool, 3)
    pool.connect(1)
    (first, *_) = initialize_all(pool)
    finish(pool, 1, first)
    pool.acknowledge(1)
    pool.bury()
    assert first not in pool.scheduler.tasks
    pool.mine(deals=(deal,))
    assert first not in pool.scheduler.tasks


def test_deal_dry_bag_a_removed_deal_gets_no_tasks_until_it_is_seen_again(pool: ScriptedPool) -> None:
    deal = take_bag(pool, MILLION)
    pool.revert(2)
    pool.connect(1, slots=64)
    pool.restart()
    pool.connect(2, slots=64)
    pool.wait(0)
    assert len(pool.ledger.tasks) == AHEAD
    moved = replace(deal.terms, block=pool.block + 1, contribution_deadline=pool.now + 5000)
    pool.mine(deals=(e.DealSeen(moved),))
    pool.wait(0)
    assert len(pool.ledger.tasks) > AHEAD
    assert {task.terms.contribution_deadline for task in pool.ledger.tasks.values()} == {pool.now + 5000}


def test_deal_dry_bag_what_no_worker_reached_is_said_at_the_contribution_deadline(pool: ScriptedPool) -> None:
    deal = take_bag(pool, MILLION)
    pool.wait(deal.terms.contribution_deadline - pool.now)
    assert pool.ledger.unreached == {deal.terms.deal_id: MILLION - AHEAD}
    assert not pool.ledger.deals
    assert pool.scheduler.queued_tasks == 0
    pool.mine(deals=(deal,))
    assert len(pool.ledger.tasks) == AHEAD


def test_deal_dry_bag_many_bags_in_one_block_share_the_turn(pool: ScriptedPool) -> None:
    deals = []
    for _ in range(40):
        deals.append(e.DealSeen(pool.terms(bot_size=MILLION)))
        pool.deals += 1
    pool.mine(deals=tuple(deals))
    assert len(pool.scheduler.tasks) <= AHEAD
    pool.wait(0)
    by_deal = [
        sum(t.terms.deal_id == deal.terms.deal_id for t in pool.scheduler.tasks.values()) for deal in deals
    ]
    assert min(by_deal) >= 1
    assert sum(by_deal) <= 17 * AHEAD


def test_deal_dry_bag_one_task_at_a_time_of_a_deal_with_long_params(pool: ScriptedPool) -> None:
    before = len(pool.scheduler.tasks)
    terms = pool.terms(bot_size=MILLION, command_line="x" * 1_000_000)
    pool.mine(deals=(e.DealSeen(terms),))
    assert len(pool.scheduler.tasks) - before <= 2


def test_deal_dry_bag_a_task_that_the_chain_knows_already_is_read(pool: ScriptedPool) -> None:
    """A third party may initialize any task of a bag before it exists here."""
    take_bag(pool, MILLION)
    initialize_all(pool)
    pool.effects.clear()
    pool.connect(1, slots=20)
    new = [task_id for task_id, task in pool.scheduler.tasks.items() if task.index >= AHEAD]
    assert {read.task_id for read in pool.sent(d.ReadTask)} >= set(new)
    pool.read(new[0])
    assert pool.status(new[0]) == "INITIALIZED"


def test_deal_dry_bag_tasks_that_end_without_a_worker_free_their_place(pool: ScriptedPool) -> None:
    take_bag(pool, MILLION)
    for task_id in list(pool.scheduler.tasks):
        pool.refuse(task_id, e.TransactionKind.INITIALIZE, None)
    pool.wait(1)
    assert max(task.index for task in pool.ledger.tasks.values()) >= AHEAD


def test_a_window_is_at_least_the_policys(pool: ScriptedPool) -> None:
    assert bags.window(pool.scheduler._state) == AHEAD
