"""What the scheduler starts from: the durable state, as the store loads it."""

from dataclasses import dataclass

from workerpool_core.domain.model import Command, Task, Worker
from workerpool_core.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that a start needs.

    `tasks` are those that the scheduler remembers (see `is_remembered`), each with its replicates.
    `ended` are the ids of other ended tasks whose deal may be seen again (its contribution deadline has not
    passed), so that a replayed block does not bring them back. `head` is the block up to which the chain was
    followed, 0 before the first.
    """

    tasks: tuple[Task, ...] = ()
    workers: tuple[Worker, ...] = ()
    commands: tuple[Command, ...] = ()
    ended: frozenset[str] = frozenset()
    head: int = 0


def is_remembered(task: Task, policy: Policy, now: float, head: int) -> bool:
    """Tell whether a start at `now` (Unix seconds), with the chain followed up to `head`, takes a task up.

    Besides those that did not end: who still has something to ask of the chain, or may have after a reorganisation,
    and who ended so recently that its workers may not have said their last word.
    """
    if not task.ended or task.claim_due or task.finalize_due:
        return True
    within_reach = head > 0 and task.final_block > max(head - policy.reorganisation_blocks, 0)
    return within_reach or task.history[-1].date > now - policy.ended_retention_s
