"""Refused transactions are compared with the chain, and only the second unexplained one is final."""

from collections.abc import Callable
from typing import Any

import pytest
from workerpool_core.domain.chain import refusals
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import TransactionKind
from workerpool_core.domain.model import Task
from workerpool_core.domain.timers import Timeout
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.protocol.statuses import ChainTaskStatus, TaskStatus

K = TransactionKind
T = TaskStatus


def chain_task(task: Task, **changed: Any) -> ChainTask:
    """Return a REVEALING task whose two winners have revealed, with some of its values changed."""
    values: dict[str, Any] = {
        "task_id": task.task_id,
        "status": ChainTaskStatus.REVEALING,
        "deal_id": task.terms.deal_id,
        "index": 0,
        "category_time": 300,
        "contribution_deadline": 2_000_000,
        "reveal_deadline": 1_500_000,
        "final_deadline": 3_000_000,
        "consensus_value": b"",
        "reveal_counter": 2,
        "winner_counter": 2,
        "contributors": (),
        "result_digest": b"",
        "results": b"",
        "results_timestamp": 0,
        "results_callback": b"",
    }
    return ChainTask(**(values | changed))


def test_a_refusal_is_taken_once_and_only_by_a_later_read(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    task = add_task()
    context.live(task).refused_at[K.FINALIZE] = 10.0
    assert not refusals.take(context, task, K.FINALIZE, requested_at=9.0)
    assert not refusals.take(context, task, K.REOPEN, requested_at=10.0)
    assert refusals.take(context, task, K.FINALIZE, requested_at=10.0)
    assert not refusals.take(context, task, K.FINALIZE, requested_at=11.0)


def test_a_refusal_is_final_after_the_transaction_was_retried(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    task = add_task()
    assert not refusals.is_final(context, task, K.FINALIZE)
    context.now += context.state.policy.retry_s - 1
    assert not refusals.is_final(context, task, K.FINALIZE)
    context.now += 1
    assert refusals.is_final(context, task, K.FINALIZE)
    assert not refusals.is_final(context, task, K.REOPEN)


def test_no_refusal_is_final_soon_after_a_reorganisation(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    task = add_task()
    refusals.is_final(context, task, K.FINALIZE)
    context.now += 60
    context.state.reverted_at = context.now
    assert not refusals.is_final(context, task, K.FINALIZE)


@pytest.mark.parametrize(
    ("reveals", "chain_time", "end"),
    [
        (2, 0.0, T.FAILED),
        (1, 0.0, T.FINALIZING),
        (1, 1_500_000.0, T.FAILED),
        (0, 1_500_000.0, T.FINALIZING),
    ],
)
def test_a_finalization_that_the_chain_would_accept_fails_the_task_when_it_is_refused_again(
    context: EventContext,
    add_task: Callable[..., Task],
    reveals: int,
    chain_time: float,
    end: TaskStatus,
) -> None:
    task = add_task(1, T.FINALIZING)
    context.state.chain_time = chain_time
    for _ in range(2):
        context.live(task).refused_at[K.FINALIZE] = context.now
        refusals.judge(context, task, chain_task(task, reveal_counter=reveals), context.now)
        context.now += context.state.policy.retry_s
    assert task.status is end
    assert context.state.timers.is_set(Timeout.RETRY, task.task_id) is (end is T.FINALIZING)


@pytest.mark.parametrize(
    ("kind", "status", "reason"),
    [
        (K.FINALIZE, T.FINALIZING, "TASK_NOT_FOUND"),
        (K.FINALIZE, T.FINALIZING, "TASK_NOT_REVEALING"),
        (K.FINALIZE, T.FINALIZING, "REVEALS_MISSING"),
        (K.REOPEN, T.REOPENING, "TASK_NOT_FOUND"),
        (K.REOPEN, T.REOPENING, "REVEAL_DEADLINE_NOT_REACHED"),
    ],
)
def test_refusals_of_a_node_that_is_behind_are_never_final(
    context: EventContext, add_task: Callable[..., Task], kind: K, status: TaskStatus, reason: str
) -> None:
    """A back-end four blocks behind refused two finalizations in a row, and the pool lost a finished task."""
    task = add_task(1, status)
    context.state.chain_time = 2e6
    for _ in range(5):
        live = context.live(task)
        live.refused_at[kind], live.refusal = context.now, reason
        chain = chain_task(task, reveal_counter=2 if kind is K.FINALIZE else 0)
        refusals.judge(context, task, chain, context.now)
        assert task.status is status
        assert context.state.timers.is_set(Timeout.RETRY, task.task_id)
        context.now += context.state.policy.retry_s


def test_an_initialization_is_not_final_while_the_node_does_not_know_the_deal(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    task = add_task(1, T.INITIALIZING)
    context.live(task).refusal = "DEAL_NOT_FOUND"
    for _ in range(3):
        assert not refusals.is_final(context, task, K.INITIALIZE)
        context.now += context.state.policy.retry_s


def test_a_reopening_is_final_only_after_the_reveal_deadline(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    task = add_task(1, T.REOPENING)
    chain = chain_task(task, reveal_counter=0)
    for chain_time, end in ((0.0, T.REOPENING), (0.0, T.REOPENING), (2e6, T.REOPENING), (2e6, T.FAILED)):
        context.state.chain_time = chain_time
        context.live(task).refused_at[K.REOPEN] = context.now
        refusals.judge(context, task, chain, context.now)
        assert task.status is end
        context.now += context.state.policy.retry_s
