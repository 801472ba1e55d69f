"""A finalization that a reorganisation removed is repeated; answers about the old branch are not trusted."""

from collections.abc import Callable
from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.model import Task
from workerpool_core.domain.tasks import retries
from workerpool_poco.protocol.deadlines import CLOCK_MARGIN_S
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import TaskStatus

from services.core.tests.doubles.scripted_pool import ScriptedPool

T = 300
HASH_A = "0x" + "aa" * 32
K = e.TransactionKind


def completed(pool: ScriptedPool) -> TaskId:
    """Return a task whose finalization is mined and whose worker reported COMPLETED."""
    task = pool.to_finalizing(1)
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    pool.report(1, task, R.COMPLETING, R.COMPLETED)
    pool.wait(1)
    pool.effects.clear()
    return task


def finalizations(pool: ScriptedPool, task: TaskId) -> Any:
    return pool.sent(d.RequestTransaction, kind=K.FINALIZE, task_id=task)


def test_a_removed_finalization_is_requested_until_it_is_mined(pool: ScriptedPool) -> None:
    task = completed(pool)
    pool.revert(1)
    (asked,) = finalizations(pool, task)
    assert asked.result_link
    pool.wait(60)
    assert len(finalizations(pool, task)) > 1
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, pool.block + 1))
    pool.read(task, "COMPLETED")
    pool.effects.clear()
    pool.wait(60)
    assert not finalizations(pool, task)
    assert pool.history(task)[-1] == "COMPLETED"


def test_an_answer_about_the_old_branch_does_not_settle_the_task(pool: ScriptedPool) -> None:
    """The adapter reports the finalization as mined after the scheduler followed the reorganisation."""
    task = completed(pool)
    gone = pool.block
    pool.revert(1)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, gone))
    pool.effects.clear()
    pool.read(task, "REVEALING")
    pool.wait(pool.policy.retry_s)
    assert finalizations(pool, task)


def test_an_answer_soon_after_a_reorganisation_does_not_complete_a_task_that_is_open_on_chain(
    pool: ScriptedPool,
) -> None:
    task = pool.to_finalizing(1)
    pool.revert(1)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, pool.block + 1))
    assert pool.status(task) == "FINALIZING"
    pool.read(task, "COMPLETED")
    assert pool.status(task) == "COMPLETED"


def test_only_the_log_of_the_finalization_settles_the_task(pool: ScriptedPool) -> None:
    task = completed(pool)
    pool.revert(3)
    pool.mine(pool.log("CONTRIBUTE", task, 1, HASH_A), pool.log("CONSENSUS", task, value=HASH_A))
    pool.effects.clear()
    pool.wait(60)
    assert finalizations(pool, task)
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    pool.wait(60)
    pool.effects.clear()
    pool.wait(60)
    assert not finalizations(pool, task)


def test_a_finalization_that_was_removed_twice_is_requested_twice(pool: ScriptedPool) -> None:
    task = completed(pool)
    pool.revert(1)
    for _ in range(5):
        pool.mine()
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    pool.effects.clear()
    pool.revert(1)
    assert finalizations(pool, task)


def test_a_new_branch_with_the_finalization_changes_nothing(pool: ScriptedPool) -> None:
    task = completed(pool)
    for _ in range(3):
        pool.mine()
    pool.revert(3)
    assert not finalizations(pool, task)


def test_a_finalization_64_blocks_deep_is_final(pool: ScriptedPool) -> None:
    task = completed(pool)
    for _ in range(pool.policy.reorganisation_blocks - 1):
        pool.mine()
    pool.wait(pool.policy.ended_retention_s + 1)
    assert task in pool.scheduler.tasks
    pool.mine()
    pool.wait(pool.policy.ended_retention_s + 1)
    assert task not in pool.scheduler.tasks


def test_a_task_that_cannot_be_finalized_again_is_claimed(pool: ScriptedPool) -> None:
    """The reveal was removed too, and the worker that could repeat it has left."""
    task = completed(pool)
    pool.revert(2)
    pool.wait(10 * T + CLOCK_MARGIN_S)
    assert pool.sent(d.RequestTransaction, kind=K.CLAIM, task_id=task)
    pool.mine(pool.log("CLAIMED", task))
    pool.bury()
    assert task not in pool.scheduler.tasks
    assert pool.history(task)[-1] == "COMPLETED"


@pytest.mark.parametrize(
    ("status", "initialized", "requested"),
    [
        (TaskStatus.RECEIVED, False, [K.INITIALIZE]),
        (TaskStatus.INITIALIZING, False, [K.INITIALIZE]),
        (TaskStatus.RUNNING, False, [K.INITIALIZE]),
        (TaskStatus.RUNNING, True, []),
        (TaskStatus.REOPENING, True, [K.REOPEN]),
        (TaskStatus.FINALIZING, True, [K.FINALIZE]),
    ],
)
def test_a_retry_requests_the_transaction_that_the_status_waits_for(
    context: EventContext,
    add_task: Callable[..., Task],
    status: TaskStatus,
    initialized: bool,
    requested: list[e.TransactionKind],
) -> None:
    task = add_task(1, status)
    task.initialization_block = 5 if initialized else 0
    retries.retry(context, task)
    kinds = [effect.kind for effect in context.effects if isinstance(effect, d.RequestTransaction)]
    assert kinds == requested


@pytest.mark.parametrize("kind", [K.INITIALIZE, K.FINALIZE, K.REOPEN])
def test_a_success_that_a_reorganisation_removed_before_its_answer_is_requested_again_at_once(
    pool: ScriptedPool, kind: Any
) -> None:
    """The periodic reconciliation would request it within two minutes."""
    match kind:
        case K.INITIALIZE:
            (task,) = pool.deal()
            status: str | None = None
            chain: dict[str, Any] = {}
        case K.FINALIZE:
            task = pool.to_finalizing(1)
            status = "REVEALING"
            chain = {"contributions": {1: ("PROVED", HASH_A)}, "winners": 1, "reveals": 1, "value": HASH_A}
        case _:
            task = pool.to_consensus(1)
            pool.live(2 * T + 1, 1)
            pool.read(task, "REVEALING", {1: ("CONTRIBUTED", HASH_A)}, winners=1, value=HASH_A)
            status = "REVEALING"
            chain = {"contributions": {1: ("CONTRIBUTED", HASH_A)}, "winners": 1, "value": HASH_A}
    pool.mine()
    pool.revert(1)
    pool.effects.clear()
    pool.handle(e.TransactionAnswered(task, kind, True, pool.block + 1))
    pool.read(task, status, **chain)
    pool.wait(pool.policy.retry_s)
    assert pool.sent(d.RequestTransaction, kind=kind, task_id=task)


def test_a_task_that_waits_for_the_chain_adapter_says_so_until_it_moves_on(pool: ScriptedPool) -> None:
    (task,) = pool.deal()
    told = pool.handle(e.TransactionAnswered(task, K.INITIALIZE, None, reason="UNAVAILABLE"))
    assert d.NotifyWatchers(task) in told
    found = pool.scheduler.explain(pool.now).waiting(task)
    assert found is not None
    assert found.message == (
        "The chain adapter, which sends the pool's transactions, does not answer (UNAVAILABLE)."
    )
    pool.handle(e.TransactionAnswered(task, K.INITIALIZE, True, pool.block))
    assert "adapter" not in str(pool.scheduler.explain(pool.now).waiting(task))
