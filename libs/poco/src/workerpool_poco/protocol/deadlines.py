"""Deadlines of a task, in unix seconds, from the start of its deal and its category.

``T`` is ``workClockTimeRef`` of the category, in seconds. All deadlines but the
reveal's are anchored at the match of the orders, not at ``initialize``.
"""

from dataclasses import dataclass

CONTRIBUTION_DEADLINE_RATIO = 7
REVEAL_DEADLINE_RATIO = 2
FINAL_DEADLINE_RATIO = 10


@dataclass(frozen=True, slots=True)
class TaskDeadlines:
    """The two deadlines known when a deal appears, in unix seconds.

    Contributions and reveals must come strictly before their deadline, finalize
    strictly before ``final``; claim is possible from ``final`` on.
    """

    contribution: int
    final: int


def contribution_deadline(
    start_time: int, category_time: int, ratio: int = CONTRIBUTION_DEADLINE_RATIO
) -> int:
    """Return when contributions end; ``ratio`` is the hub's ``contribution_deadline_ratio``."""
    return start_time + ratio * category_time


def reveal_deadline(consensus_time: int, category_time: int) -> int:
    """Return when reveals end, counted from the block in which consensus was reached."""
    return consensus_time + REVEAL_DEADLINE_RATIO * category_time


def final_deadline(start_time: int, category_time: int) -> int:
    """Return when the task can no longer be finalized and may be claimed back."""
    return start_time + FINAL_DEADLINE_RATIO * category_time


def task_deadlines(
    start_time: int, category_time: int, ratio: int = CONTRIBUTION_DEADLINE_RATIO
) -> TaskDeadlines:
    """Return both deadlines of a task whose deal started at ``start_time``."""
    return TaskDeadlines(
        contribution=contribution_deadline(start_time, category_time, ratio),
        final=final_deadline(start_time, category_time),
    )
