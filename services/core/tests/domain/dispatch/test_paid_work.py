"""Paid deals go to workers with enough free stake, and to few newcomers at once: case worker-silent."""

from collections.abc import Callable

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.dispatch.paid_work import may_take_paid
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.policy import Policy
from workerpool_core.simulation.deals import deal_terms
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.scripted_pool import ScriptedPool

STAKE = 10
NEWCOMER = Policy().newcomer_assignments


def give_stake(pool: ScriptedPool, number: int, stake: int) -> None:
    pool.handle(e.WeightsRead(((f"0xWorker{number}", 2),), ((f"0xWorker{number}", stake),)))


def paid(pool: ScriptedPool, count: int) -> list[TaskId]:
    return [pool.ready(worker_stake=STAKE) for _ in range(count)]


def test_any_worker_may_take_a_free_task(
    context: EventContext, add_worker: Callable[..., LiveWorker]
) -> None:
    live = add_worker()
    assert may_take_paid(context.state, live, deal_terms(DealId("0x1"), start=0, execution_s=1))
    assert not may_take_paid(
        context.state, live, deal_terms(DealId("0x1"), start=0, execution_s=1, worker_stake=1)
    )


def finish(pool: ScriptedPool, number: int, task: TaskId) -> None:
    pool.compute(number, task)
    pool.contribute(number, task, consensus=True)
    pool.reveal(number, task)
    pool.upload(number, task)
    pool.mine(pool.log("FINALIZE", task, value="0x"))


def test_worker_silent_a_worker_without_stake_gets_no_paid_task_but_free_ones(pool: ScriptedPool) -> None:
    pool.connect(1)
    (task,) = paid(pool, 1)
    assert pool.assigned(task) == [], "an unknown stake counts as none"
    give_stake(pool, 1, STAKE - 1)
    assert pool.assigned(task) == []
    assert pool.assigned(pool.ready()) == ["0xWorker1"]
    give_stake(pool, 1, STAKE)
    assert pool.assigned(task) == ["0xWorker1"]


def test_worker_silent_the_stake_covers_every_unfinished_assignment(pool: ScriptedPool) -> None:
    pool.connect(1)
    give_stake(pool, 1, STAKE + STAKE // 2)
    first, second = paid(pool, 2)
    assert (pool.assigned(first), pool.assigned(second)) == (["0xWorker1"], [])
    give_stake(pool, 1, 2 * STAKE)
    assert pool.assigned(second) == ["0xWorker1"]


def test_a_contribution_locks_stake_and_the_end_of_the_task_has_it_read_again(pool: ScriptedPool) -> None:
    pool.connect(1)
    give_stake(pool, 1, STAKE)
    (first,) = paid(pool, 1)
    pool.compute(1, first)
    pool.contribute(1, first, consensus=True)
    (second,) = paid(pool, 1)
    assert pool.assigned(second) == []
    pool.reveal(1, first)
    pool.upload(1, first)
    pool.effects.clear()
    pool.mine(pool.log("FINALIZE", first, value="0x"))
    assert pool.sent(d.ReadWeight, wallet="0xWorker1")


def test_a_reconciliation_reads_stakes_of_idle_workers_while_a_paid_task_waits(pool: ScriptedPool) -> None:
    pool.connect(1)
    give_stake(pool, 1, STAKE - 1)
    pool.connect(2)
    pool.effects.clear()
    pool.handle(e.ReconcileDue())
    assert not pool.sent(d.ReadWeight), "nothing waits for stake"
    paid(pool, 1)
    pool.handle(e.ReconcileDue())
    assert {read.wallet for read in pool.sent(d.ReadWeight)} == {"0xWorker1", "0xWorker2"}


def test_worker_silent_a_newcomer_gets_few_paid_tasks_at_once_and_more_with_each_success(
    pool: ScriptedPool,
) -> None:
    pool.connect(1, slots=16)
    give_stake(pool, 1, 100 * STAKE)
    tasks = paid(pool, 10)
    held = [task for task in tasks if pool.assigned(task)]
    assert len(held) == NEWCOMER
    finish(pool, 1, held[0])
    assert pool.scheduler.workers["0xWorker1"].worker.successes == 1
    computing = [task for task in tasks if pool.assigned(task) and task != held[0]]
    assert len(computing) == NEWCOMER + 1


def test_newcomers_do_not_wait_for_each_other_with_contributions_that_need_another(
    pool: ScriptedPool,
) -> None:
    for number in (1, 2, 3):
        pool.connect(number)
        give_stake(pool, number, 100 * STAKE)
    tasks = [pool.ready(worker_stake=STAKE, trust=3) for _ in range(4)]
    for _ in range(3):
        for task in tasks:
            for number in (1, 2, 3):
                replicate = pool.task(task).replicates.get(f"0xWorker{number}")
                if replicate is not None and replicate.status is R.CREATED:
                    pool.compute(number, task)
                    pool.report(number, task, R.CONTRIBUTING)
                    pool.contribute(number, task)
    assert all(len(pool.assigned(task)) >= 2 for task in tasks)


def test_free_tasks_neither_count_for_the_limit_nor_as_successes(pool: ScriptedPool) -> None:
    pool.connect(1, slots=16)
    free = [pool.ready() for _ in range(5)]
    assert all(pool.assigned(task) for task in free)
    finish(pool, 1, free[0])
    assert pool.scheduler.workers["0xWorker1"].worker.successes == 0


def test_successes_survive_a_restart(pool: ScriptedPool) -> None:
    pool.connect(1)
    give_stake(pool, 1, 100 * STAKE)
    (task,) = paid(pool, 1)
    finish(pool, 1, task)
    pool.restart()
    assert pool.scheduler.workers["0xWorker1"].worker.successes == 1
