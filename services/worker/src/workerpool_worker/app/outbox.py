"""Updates on their way to the scheduler: safe in the journal, sent in order, kept until answered."""

import asyncio
from collections.abc import Iterable
from itertools import count

from workerpool_poco.protocol.ids import TaskId

from workerpool_worker.domain.updates import Update


class Outbox:
    """Holds what the scheduler has not answered yet. A stream reads it with a cursor of its own, from the oldest on."""

    def __init__(self, last_sequence: int, unanswered: Iterable[Update] = ()) -> None:
        self._sequences = count(last_sequence + 1)
        self._updates = {update.sequence: update for update in unanswered}
        self._acks: list[int] = []
        self._changed = asyncio.Event()

    def next_sequence(self) -> int:
        """Return the sequence for a new update; each value is given out once."""
        return next(self._sequences)

    def add(self, *updates: Update) -> None:
        """Hand over updates that the journal holds."""
        for update in updates:
            self._updates[update.sequence] = update
        self._changed.set()

    def acknowledge(self, command: int) -> None:
        """Queue the acknowledgement of a command that the journal holds."""
        self._acks.append(command)
        self._changed.set()

    def answered(self, sequence: int) -> Update | None:
        """Take out an update that was answered."""
        return self._updates.pop(sequence, None)

    def forget(self, task_id: TaskId) -> None:
        """Take out what is unanswered about a task."""
        self._updates = {
            sequence: update for sequence, update in self._updates.items() if update.task_id != task_id
        }

    def after(self, sequence: int, limit: int) -> list[Update]:
        """Return up to ``limit`` unanswered updates with a higher sequence, in order."""
        found: list[Update] = []
        for number, update in self._updates.items():
            if number > sequence:
                found.append(update)
                if len(found) == limit:
                    break
        return found

    def take_acks(self) -> list[int]:
        """Take the queued acknowledgements; one that is lost with its stream is asked for again by the scheduler."""
        acks, self._acks = self._acks, []
        return acks

    def wake(self) -> None:
        """Let who waits for a change look for one."""
        self._changed.set()

    async def changed(self) -> None:
        """Wait until something was handed over, or :meth:`wake` was called, since the last call."""
        await self._changed.wait()
        self._changed.clear()

    def __len__(self) -> int:
        """Number of unanswered updates."""
        return len(self._updates)
