"""What apps print while they run: the tail of each stream, in memory, until their workers report the whole.

Nothing here is durable, since nothing was acknowledged: the report of the end of an app carries its logs again.
"""

from collections import OrderedDict
from collections.abc import Mapping

from workerpool_poco.protocol.ids import TaskId

from workerpool_core.app.ports import ComputeLogs
from workerpool_core.domain.decisions import Outcome, ReplicateChanged
from workerpool_core.domain.model import Task
from workerpool_core.domain.replicates.replicate_machine import SLOT_STATUSES
from workerpool_core.errors import ForeignReplicate

LONGEST_LOG = 100_000
"""Characters kept of each output stream of an app: its last ones (core spec §9)."""
_MOST_CHARACTERS = 64_000_000
"""Kept in all; past it, the replicate that printed nothing for longest is forgotten."""


class LiveLogs:
    """Tails of the two output streams of running apps, by task and wallet. `tasks` are those that core knows of."""

    def __init__(self, tasks: Mapping[TaskId, Task], most_characters: int = _MOST_CHARACTERS) -> None:
        self._tasks = tasks
        self._most = most_characters
        self._kept: OrderedDict[tuple[TaskId, str], ComputeLogs] = OrderedDict()
        self._characters = 0

    def add(self, task_id: TaskId, wallet: str, *, stdout: str = "", stderr: str = "") -> None:
        """Append what an app printed, while it runs; later than that it is old news. Raises ForeignReplicate."""
        if not self._runs(task_id, wallet):
            return
        known = self._take(task_id, wallet) or ComputeLogs(wallet, "", "")
        kept = ComputeLogs(
            wallet, (known.stdout + stdout)[-LONGEST_LOG:], (known.stderr + stderr)[-LONGEST_LOG:]
        )
        self._kept[task_id, wallet] = kept
        self._characters += _size(kept)
        while self._characters > self._most:
            self._take(*next(iter(self._kept)))

    def of(self, task_id: TaskId, wallet: str = "") -> list[ComputeLogs]:
        """Return the tails of a task, of one worker only if `wallet` is given."""
        return [
            kept for (task, owner), kept in self._kept.items() if task == task_id and wallet in ("", owner)
        ]

    def settle(self, outcome: Outcome) -> None:
        """Forget the tails of apps that have ended: from then on the report of their worker counts."""
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
            raise ForeignReplicate(f"this worker holds no replicate of task {task_id}")
        return replicate.last_relevant in SLOT_STATUSES

    def _take(self, task_id: TaskId, wallet: str) -> ComputeLogs | None:
        kept = self._kept.pop((task_id, wallet), None)
        if kept is not None:
            self._characters -= _size(kept)
        return kept


def _size(kept: ComputeLogs) -> int:
    return len(kept.stdout) + len(kept.stderr)
