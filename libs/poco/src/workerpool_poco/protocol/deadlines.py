"""Deadlines of a task in Unix seconds, computed from the start of its deal and its category (core spec §6.3).

`category_time` is `workClockTimeRef` of the category, in seconds. Every deadline except the reveal deadline counts from
the match of the orders, not from `initialize`.
"""

from dataclasses import dataclass

CONTRIBUTION_DEADLINE_RATIO = 7
REVEAL_DEADLINE_RATIO = 2
FINAL_DEADLINE_RATIO = 10
CLOCK_MARGIN_S = 10
"""How far, in seconds, the clock of this machine may be ahead of the chain's."""


@dataclass(frozen=True, slots=True)
class TaskDeadlines:
    """The two deadlines known when a deal appears, in Unix seconds.

    The contract accepts contributions and reveals strictly before their deadline, `finalize` strictly before `final`,
    and `claim` from `final` on.
    """

    contribution: int
    final: int


def contribution_deadline(
    start_time: int, category_time: int, ratio: int = CONTRIBUTION_DEADLINE_RATIO
) -> int:
    """Return the contribution deadline; `ratio` is the hub's `contribution_deadline_ratio`."""
    return start_time + ratio * category_time


def reveal_deadline(consensus_time: int, category_time: int) -> int:
    """Return the reveal deadline, which counts from the block that reached consensus."""
    return consensus_time + REVEAL_DEADLINE_RATIO * category_time


def final_deadline(start_time: int, category_time: int) -> int:
    """Return the final deadline: the task cannot be finalized from then on, and can be claimed."""
    return start_time + FINAL_DEADLINE_RATIO * category_time


def task_deadlines(
    start_time: int, category_time: int, ratio: int = CONTRIBUTION_DEADLINE_RATIO
) -> TaskDeadlines:
    """Return the deadlines of a task whose deal started at `start_time`."""
    return TaskDeadlines(
        contribution=contribution_deadline(start_time, category_time, ratio),
        final=final_deadline(start_time, category_time),
    )


def chain_time(block_timestamp: int, clock: float) -> int:
    """Return a time that the next block has reached, in Unix seconds, from the newest block and this machine's clock.

    A sequencer chain makes no block while it has no transaction: its newest block may be minutes old, and the next one
    still carries the time at which it is made.
    """
    return max(block_timestamp, int(clock) - CLOCK_MARGIN_S)
