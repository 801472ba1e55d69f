"""A journal in memory."""

import asyncio
from collections.abc import Callable, Iterable

from workerpool_poco.protocol.ids import TaskId
from workerpool_worker.app.ports import JournalSnapshot
from workerpool_worker.domain.record import ReplicateRecord
from workerpool_worker.domain.updates import Update
from workerpool_worker.errors import JournalUnusable


class InMemoryJournal:
    """Implements the `Journal` port. A change is durable at once; `open` returns what a restart would find."""

    def __init__(self, on_failure: Callable[[Exception], None]) -> None:
        self._on_failure = on_failure
        self._assignments: dict[TaskId, bytes] = {}
        self._records: dict[TaskId, str] = {}
        self._updates: dict[int, str] = {}
        self._commands: set[int] = set()
        self._ended: dict[TaskId, None] = {}
        self._last_sequence = 1_000
        self._failure: JournalUnusable | None = None

    async def open(self) -> JournalSnapshot:
        self._failure = None
        return JournalSnapshot(
            replicates=tuple(
                (self._assignments[task_id], ReplicateRecord.from_json(record))
                for task_id, record in self._records.items()
            ),
            updates=tuple(Update.from_json(text) for _, text in sorted(self._updates.items())),
            commands=frozenset(self._commands),
            ended=tuple(self._ended),
            last_sequence=self._last_sequence,
        )

    async def close(self) -> None:
        pass

    def save_assignment(self, assignment: bytes, record: ReplicateRecord) -> asyncio.Future[None]:
        self._assignments[record.task_id] = assignment
        self._records[record.task_id] = record.to_json()
        return self._done()

    def save(
        self, record: ReplicateRecord, updates: Iterable[Update] = (), *, at_once: bool = True
    ) -> asyncio.Future[None]:
        if record.task_id in self._records:
            self._records[record.task_id] = record.to_json()
        return self._done(updates)

    def save_command(
        self,
        sequence: int,
        task_id: TaskId,
        record: ReplicateRecord | None = None,
        updates: Iterable[Update] = (),
    ) -> asyncio.Future[None]:
        self._commands.add(sequence)
        if record is not None and task_id in self._records:
            self._records[task_id] = record.to_json()
        return self._done(updates)

    def delete_updates(
        self, sequences: Iterable[int], unknown_tasks: Iterable[TaskId] = ()
    ) -> asyncio.Future[None]:
        for sequence in sequences:
            self._updates.pop(sequence, None)
        for task_id in unknown_tasks:
            self._delete(task_id)
        return self._done()

    def delete_task(self, task_id: TaskId) -> asyncio.Future[None]:
        self._delete(task_id)
        return self._done()

    def end(self, task_id: TaskId, updates: Iterable[Update]) -> asyncio.Future[None]:
        self._records.pop(task_id, None)
        self._ended[task_id] = None
        return self._done(updates)

    def delete_end(self, task_id: TaskId) -> asyncio.Future[None]:
        self._ended.pop(task_id, None)
        return self._done()

    def _delete(self, task_id: TaskId) -> None:
        self._records.pop(task_id, None)
        self._ended.pop(task_id, None)
        kept = {sequence: Update.from_json(text) for sequence, text in self._updates.items()}
        self._updates = {
            sequence: update.to_json() for sequence, update in kept.items() if update.task_id != task_id
        }

    def _done(self, updates: Iterable[Update] = ()) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for update in updates:
            if update.sequence in self._updates and self._failure is None:
                self._failure = JournalUnusable(f"the sequence {update.sequence} is used")
                self._on_failure(self._failure)
            self._updates[update.sequence] = update.to_json()
            self._last_sequence = max(self._last_sequence, update.sequence)
        if self._failure is not None:
            future.set_exception(self._failure)
            future.exception()
        else:
            future.set_result(None)
        return future
