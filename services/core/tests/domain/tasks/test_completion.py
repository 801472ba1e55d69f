"""The chain is read before a task fails: it may have a contribution or an end that is not known yet."""

from collections.abc import Callable
from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.model import Task
from workerpool_core.domain.tasks import completion
from workerpool_poco.protocol.deadlines import CLOCK_MARGIN_S
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import TaskStatus

from services.core.tests.doubles.scripted_pool import ScriptedPool

SCONE = "0x" + f"{3:064x}"
HASH_A = "0x" + "aa" * 32


def without_able_worker(pool: ScriptedPool) -> TaskId:
    """Return an enclave task that the only able worker failed."""
    pool.connect(1, sgx=True)
    task = pool.ready(tag=SCONE)
    pool.handle(e.EnclaveChallengeAnswered(task, "0xChallenge", "https://sms"))
    pool.report(1, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING)
    pool.effects.clear()
    pool.report(1, task, R.APP_DOWNLOAD_FAILED)
    return task


def without_challenge(pool: ScriptedPool) -> TaskId:
    """Return an enclave task for which the SMS returns no challenge."""
    task = pool.ready(tag=SCONE)
    pool.effects.clear()
    pool.handle(e.EnclaveChallengeAnswered(task, "", "https://sms"))
    return task


@pytest.mark.parametrize(
    ("make_task", "reason"),
    [(without_able_worker, "RUNNING_FAILED"), (without_challenge, "INITIALIZE_FAILED")],
)
def test_the_task_fails_once_the_chain_was_read(pool: ScriptedPool, make_task: Any, reason: Any) -> None:
    task = make_task(pool)
    assert len(pool.sent(d.ReadTask, task_id=task)) == 1
    assert "FAILED" not in pool.history(task)
    pool.read(task, "ACTIVE")
    assert pool.history(task)[-2:] == [reason, "FAILED"]


@pytest.mark.parametrize("make_task", [without_able_worker, without_challenge])
def test_a_read_requested_earlier_does_not_count(pool: ScriptedPool, make_task: Any) -> None:
    asked = pool.now - 1
    task = make_task(pool)
    pool.answer_reads(e.TaskRead(task, pool.block, pool.chain_task(task), {}, asked))
    assert "FAILED" not in pool.history(task)
    assert len(pool.sent(d.ReadTask, task_id=task)) == 2


@pytest.mark.parametrize("make_task", [without_able_worker, without_challenge])
def test_a_task_that_the_chain_completed_is_completed(pool: ScriptedPool, make_task: Any) -> None:
    task = make_task(pool)
    pool.read(task, "COMPLETED")
    assert pool.status(task) == "COMPLETED"


def test_s32_an_unknown_contribution_on_chain_keeps_the_task_running(pool: ScriptedPool) -> None:
    task = without_able_worker(pool)
    pool.read(task, "ACTIVE", {1: ("CONTRIBUTED", HASH_A)})
    assert pool.status(task) == "RUNNING"
    assert pool.replicate(1, task).contribution_hash == HASH_A


def test_s32_a_consensus_with_unknown_winners_keeps_the_task_running(pool: ScriptedPool) -> None:
    task = without_able_worker(pool)
    for _ in range(3):
        pool.read(task, "REVEALING", winners=1, value=HASH_A)
        assert not [effect for effect in pool.last if isinstance(effect, d.ReadTask)]
        pool.wait(pool.policy.retry_s)
    assert "FAILED" not in pool.history(task)
    pool.read(task, "ACTIVE")
    assert pool.history(task)[-2:] == ["RUNNING_FAILED", "FAILED"]


def test_s32_a_worker_that_connects_meanwhile_keeps_the_task_running(pool: ScriptedPool) -> None:
    task = without_able_worker(pool)
    pool.connect(2, sgx=True)
    pool.read(task, "ACTIVE")
    assert "FAILED" not in pool.history(task)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]


def test_an_uninitialized_task_is_not_read_endlessly(pool: ScriptedPool) -> None:
    task = without_able_worker(pool)
    pool.read(task, None)
    assert not [effect for effect in pool.last if isinstance(effect, d.ReadTask)]
    assert "FAILED" not in pool.history(task)
    pool.mine(pool.log("INITIALIZE", task))
    pool.read(task, "ACTIVE")
    assert pool.history(task)[-2:] == ["RUNNING_FAILED", "FAILED"]


@pytest.mark.parametrize(
    ("final_block", "claim_due", "settled"), [(936, False, True), (937, False, False), (936, True, False)]
)
def test_an_ended_task_is_settled_64_blocks_after_the_chain_closed_it(
    context: EventContext,
    add_task: Callable[..., Task],
    final_block: int,
    claim_due: bool,
    settled: bool,
) -> None:
    context.state.head = 1000
    task = add_task(1, TaskStatus.COMPLETED)
    task.final_block, task.claim_due = final_block, claim_due
    assert completion.is_settled(context, task) is settled


def test_a_failed_task_that_was_never_initialized_is_claimed_too(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    task = add_task(1, TaskStatus.INITIALIZING)
    task.initialization_block = 0
    completion.fail(context, task, TaskStatus.INITIALIZE_FAILED)
    assert (task.status, task.claim_due) == (TaskStatus.FAILED, True)
    context.now = task.terms.final_deadline + CLOCK_MARGIN_S
    completion.claim(context, task)
    (request,) = [effect for effect in context.effects if isinstance(effect, d.RequestTransaction)]
    assert (request.kind, request.deal_id, request.index) == (
        e.TransactionKind.CLAIM,
        task.terms.deal_id,
        task.index,
    )


@pytest.mark.parametrize(("free", "due"), [(True, False), (False, True)])
def test_deal_dry_bag_a_task_of_a_free_deal_is_not_claimed(
    context: EventContext, add_task: Callable[..., Task], free: bool, due: bool
) -> None:
    task = add_task(1, TaskStatus.RUNNING, free=free)
    completion.fail(context, task, TaskStatus.CONTRIBUTION_TIMEOUT)
    assert (task.status, task.claim_due) == (TaskStatus.FAILED, due)
    context.now = task.terms.final_deadline + CLOCK_MARGIN_S
    completion.claim(context, task)
    assert any(isinstance(effect, d.RequestTransaction) for effect in context.effects) is due
    completion.closing_removed(context, task)
    assert task.claim_due is due


def test_a_claim_waits_until_the_chain_has_passed_the_final_deadline(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    task = add_task(1, TaskStatus.RUNNING)
    completion.fail(context, task, TaskStatus.CONTRIBUTION_TIMEOUT)
    context.effects.clear()
    context.now = task.terms.final_deadline + CLOCK_MARGIN_S - 1
    completion.claim(context, task)
    assert context.effects == []
    context.state.chain_time = task.terms.final_deadline
    completion.claim(context, task)
    assert len(context.effects) == 1
