"""What the scheduler starts from: the durable state, as the store loads it."""

from dataclasses import dataclass

from .model import Command, Task, Worker


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that a start needs.

    `tasks` are those that did not end, and those that ended with `claim_due`; each with its replicates.
    `ended` are the ids of ended tasks whose deal may be seen again (its contribution deadline has not
    passed), so that a replayed block does not bring them back.
    """

    tasks: tuple[Task, ...] = ()
    workers: tuple[Worker, ...] = ()
    commands: tuple[Command, ...] = ()
    ended: frozenset[str] = frozenset()
