"""The tasks that a start loads."""

from collections.abc import Callable

import pytest
from workerpool_core.domain.model import Task
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.snapshot import must_load
from workerpool_poco.protocol.statuses import TaskStatus

T = TaskStatus
POLICY = Policy(ended_retention_s=600.0, reorganisation_blocks=64)
LATER = 1_000_000.0 + 601


@pytest.mark.parametrize(
    ("status", "fields", "age_s", "loaded"),
    [
        (T.RUNNING, {}, 10_000, True),
        (T.FAILED, {"claim_due": True}, 10_000, True),
        (T.COMPLETED, {"final_block": 0}, 10_000, True),
        (T.COMPLETED, {"final_block": 937}, 10_000, True),
        (T.COMPLETED, {"final_block": 936}, 10_000, False),
        (T.COMPLETED, {"final_block": 1}, 599, True),
        (T.COMPLETED, {"final_block": 1}, 600, False),
        (T.FAILED, {}, 600, False),
    ],
)
def test_ended_tasks_are_loaded_while_the_chain_or_a_worker_may_change_them(
    add_task: Callable[..., Task], status: TaskStatus, fields: dict[str, object], age_s: float, loaded: bool
) -> None:
    task = add_task(1, status)
    for name, value in fields.items():
        setattr(task, name, value)
    assert must_load(task, POLICY, task.history[-1].date + age_s, head=1000) is loaded


def test_without_a_followed_block_no_block_is_within_reach(add_task: Callable[..., Task]) -> None:
    task = add_task(1, T.COMPLETED)
    task.final_block = 5
    assert not must_load(task, POLICY, LATER, head=0)
