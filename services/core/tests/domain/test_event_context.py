"""The context collects the writes, effects and follow-up work of one event."""

from collections.abc import Callable

import pytest
from workerpool_core.domain import transitions
from workerpool_core.domain.decisions import NotifyWatchers, ReadTask, RequestTransaction
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import TransactionKind
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import reason
from workerpool_core.domain.live import UnfollowedChange
from workerpool_core.domain.model import Task
from workerpool_core.domain.timers import Timeout
from workerpool_poco.protocol.statuses import TaskStatus


def test_watchers_are_notified_once_per_changed_task(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    task = add_task()
    context.changed_tasks[task.task_id] = None
    assert context.outcome().effects == [NotifyWatchers(task.task_id)]


def test_a_read_of_a_task_is_repeated_after_the_timeout(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    task = add_task()
    context.read_task(task)
    assert context.effects == [ReadTask(task.task_id, (), context.now)]
    timeout_s = context.state.policy.read_timeout_s
    assert list(context.state.timers.take_due(context.now + timeout_s - 1)) == []
    assert list(context.state.timers.take_due(context.now + timeout_s)) == [(Timeout.READ, task.task_id, "")]


def test_only_a_finalization_has_the_result(context: EventContext, add_task: Callable[..., Task]) -> None:
    task = add_task()
    task.result_link = "/result"
    context.request_transaction(TransactionKind.FINALIZE, task)
    context.request_transaction(TransactionKind.CLAIM, task)
    links = [effect.result_link for effect in context.effects if isinstance(effect, RequestTransaction)]
    assert links == ["/result", ""]


K = TransactionKind


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([(9, K.FINALIZE)], UnfollowedChange(9, K.FINALIZE)),
        ([(9, K.FINALIZE), (7, K.FINALIZE)], UnfollowedChange(9, K.FINALIZE)),
        ([(7, K.FINALIZE), (9, K.CLAIM)], UnfollowedChange(9, None)),
        ([(7, None), (9, K.CLAIM)], UnfollowedChange(9, None)),
        ([(5, K.FINALIZE)], None),
    ],
)
def test_unfollowed_changes_of_a_task_are_merged(
    context: EventContext,
    add_task: Callable[..., Task],
    changes: list[tuple[int, TransactionKind | None]],
    expected: UnfollowedChange | None,
) -> None:
    context.state.head = 5
    task = add_task()
    for block, kind in changes:
        context.note_unfollowed(task, block, kind)
    assert context.live(task).unfollowed == expected
    assert list(context.state.unfollowed) == ([task.task_id] if expected else [])


def test_a_reorganisation_is_recent_for_the_time_of_the_policy(context: EventContext) -> None:
    assert not context.recently_reorganised
    context.state.reverted_at = context.now - context.state.policy.reorganisation_doubt_s
    assert not context.recently_reorganised
    context.state.reverted_at += 1
    assert context.recently_reorganised


def test_a_trouble_is_reported_to_watchers_once_and_ends_with_the_status(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    task = add_task(1, TaskStatus.INITIALIZING)
    problem = reason(ReasonCode.ADAPTER_DOWN)
    context.note_service_problem(task, problem)
    assert context.changed_tasks == {task.task_id: None}
    context.changed_tasks.clear()
    context.note_service_problem(task, problem)
    assert context.changed_tasks == {}
    transitions.move_task(context, task, TaskStatus.INITIALIZED)
    assert context.live(task).service_problem is None
