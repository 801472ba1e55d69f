"""The stored state from which the scheduler starts."""

from dataclasses import dataclass

from workerpool_poco.protocol.ids import DealId

from workerpool_core.domain.model import Command, PoolDeal, Task, Worker
from workerpool_core.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The stored state that a start needs.

    `tasks` are those that `must_load` selects, each with its replicates. `deals` are the deals before their
    contribution deadline, each with the first index without a stored task, so that a replayed block creates no task
    again. `unsaved_deals` are those that an earlier version did not store. `head` is the newest followed block, 0
    before the first.
    """

    tasks: tuple[Task, ...] = ()
    workers: tuple[Worker, ...] = ()
    commands: tuple[Command, ...] = ()
    deals: tuple[tuple[PoolDeal, int], ...] = ()
    unsaved_deals: frozenset[DealId] = frozenset()
    head: int = 0


def must_load(task: Task, policy: Policy, now: float, head: int) -> bool:
    """Return whether a start at `now` (Unix seconds), with the chain followed up to `head`, loads a task.

    Ended tasks are loaded while they await a transaction, while a reorganisation can reopen them, and while their
    workers may still send reports.
    """
    if not task.ended or task.claim_due or task.finalize_due:
        return True
    within_reach = head > 0 and task.final_block > max(head - policy.reorganisation_blocks, 0)
    return within_reach or task.history[-1].date > now - policy.ended_retention_s
