"""The journal of a worker."""

from dataclasses import dataclass, field

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus

from workerpool_core.domain.events import Update


@dataclass(slots=True)
class Entry:
    """A replicate in a worker's journal; with `caf` it uses contributeAndFinalize.

    `is_error`: the result is an error result, which waits until `is_wanted`.
    """

    task_id: TaskId
    caf: bool
    status: ReplicateStatus = ReplicateStatus.CREATED
    value: str = ""
    has_result: bool = False
    is_error: bool = False
    is_wanted: bool = False
    ended: bool = False
    last_command: int = 0


@dataclass(slots=True)
class Journal:
    """The data that survive a crash, unless the disk is wiped; `outbox` has the unanswered updates by sequence."""

    entries: dict[str, Entry] = field(default_factory=dict)
    outbox: dict[int, Update] = field(default_factory=dict)
    sequence: int = 0
    taken_commands: set[int] = field(default_factory=set)

    def has(self, entry: Entry) -> bool:
        """Return whether an entry is in the journal and has not ended."""
        return not entry.ended and self.entries.get(entry.task_id) is entry

    def drop(self, task_id: TaskId) -> None:
        """Remove a replicate and its updates."""
        self.entries.pop(task_id, None)
        self.outbox = {s: update for s, update in self.outbox.items() if update.task_id != task_id}
