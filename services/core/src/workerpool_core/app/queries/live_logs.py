"""The output of running apps: the tail of each stream, in memory, until the worker reports the complete logs.

Nothing here is durable or acknowledged: the report of an app's end repeats its logs.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workerpool_poco.protocol.ids import TaskId

from workerpool_core.app.ports import ComputeLogs
from workerpool_core.domain.decisions import Outcome, ReplicateChanged
from workerpool_core.domain.model import Task
from workerpool_core.domain.replicates.replicate_machine import SLOT_STATUSES
from workerpool_core.errors import ForeignReplicate

MAX_LOG_CHARACTERS = 100_000
"""Most characters of each output stream, counted from its end (core spec §9)."""
_MAX_CHARACTERS = 64_000_000
"""Most characters of all replicates; above it the least recently updated replicate is evicted."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of one output stream: `text`, which ends at the character `end` of the received output."""

    text: str = ""
    end: int = 0

    def plus(self, text: str) -> "Tail":
        """Return the tail after more output."""
        return Tail((self.text + text)[-MAX_LOG_CHARACTERS:], self.end + len(text))


@dataclass(frozen=True, slots=True)
class LiveOutput:
    """The tails of both output streams of an app on one worker."""

    wallet: str
    stdout: Tail = Tail()
    stderr: Tail = Tail()


class LiveLogs:
    """Tails of both output streams of running apps, by task and wallet; `tasks` are the live tasks."""

    def __init__(
        self,
        tasks: Mapping[TaskId, Task],
        max_characters: int = _MAX_CHARACTERS,
        *,
        changed: Callable[[TaskId], None] = lambda _task_id: None,
    ) -> None:
        """Create empty logs; `changed` receives each task with new output."""
        self._tasks = tasks
        self._max = max_characters
        self._changed = changed
        self._kept: OrderedDict[tuple[TaskId, str], LiveOutput] = OrderedDict()
        self._characters = 0

    def add(self, task_id: TaskId, wallet: str, *, stdout: str = "", stderr: str = "") -> None:
        """Append output of a running app; ignore output of an ended one. Raises ForeignReplicate."""
        if not self._runs(task_id, wallet):
            return
        known = self._take(task_id, wallet) or LiveOutput(wallet)
        kept = LiveOutput(wallet, known.stdout.plus(stdout), known.stderr.plus(stderr))
        self._kept[task_id, wallet] = kept
        self._characters += _size(kept)
        while self._characters > self._max:
            self._take(*next(iter(self._kept)))
        self._changed(task_id)

    def of(self, task_id: TaskId, wallet: str = "") -> list[ComputeLogs]:
        """Return the tails of a task; only those of `wallet` unless it is empty."""
        kept = self.outputs(task_id, wallet)
        return [ComputeLogs(each.wallet, each.stdout.text, each.stderr.text) for each in kept]

    def outputs(self, task_id: TaskId, wallet: str = "") -> list[LiveOutput]:
        """Return the output so far of the apps of a task; only that of `wallet` unless it is empty."""
        return [
            kept for (task, owner), kept in self._kept.items() if task == task_id and wallet in ("", owner)
        ]

    def settle(self, outcome: Outcome) -> None:
        """Drop the tails of apps that an outcome ended; their workers have reported the complete logs."""
        if not self._kept:
            return
        for write in outcome.writes:
            if (
                isinstance(write, ReplicateChanged)
                and write.changes
                and write.changes[-1].status not in SLOT_STATUSES
            ):
                self._take(write.task_id, write.wallet)

    def _runs(self, task_id: TaskId, wallet: str) -> bool:
        task = self._tasks.get(task_id)
        if task is None:
            return False
        replicate = task.replicates.get(wallet)
        if replicate is None:
            raise ForeignReplicate(
                f"this worker holds no replicate of task {task_id}; send output of assigned tasks only"
            )
        return replicate.last_relevant in SLOT_STATUSES

    def _take(self, task_id: TaskId, wallet: str) -> LiveOutput | None:
        kept = self._kept.pop((task_id, wallet), None)
        if kept is not None:
            self._characters -= _size(kept)
        return kept


def _size(kept: LiveOutput) -> int:
    return len(kept.stdout.text) + len(kept.stderr.text)
