"""Journaled updates that the scheduler has not answered yet, and acknowledgements of commands."""

import asyncio
from collections.abc import Iterable
from itertools import count

from workerpool_poco.protocol.ids import TaskId

from workerpool_worker.domain.updates import Update

_SOON_S = 0.05
"""An update that changes no decision of the scheduler waits so long for another one, since each message costs."""


class Outbox:
    """Pending updates in order of their sequence. Each stream reads them with its own cursor, oldest first."""

    def __init__(self, last_sequence: int, unanswered: Iterable[Update] = ()) -> None:
        self._sequences = count(last_sequence + 1)
        self._updates = {update.sequence: update for update in unanswered}
        self._acks: list[int] = []
        self._changed = asyncio.Event()
        self._soon: asyncio.TimerHandle | None = None

    def next_sequence(self) -> int:
        """Return the sequence of a new update. Each value is returned once."""
        return next(self._sequences)

    def add(self, *updates: Update) -> None:
        """Queue updates that the journal stores, to be sent at once with those that wait."""
        for update in updates:
            self._updates[update.sequence] = update
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        self._changed.set()

    def add_soon(self, update: Update) -> None:
        """Queue an update that the journal stores, to be sent with the next one or within 50 ms."""
        self._updates[update.sequence] = update
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(_SOON_S, self.add)

    def acknowledge(self, command: int) -> None:
        """Queue the acknowledgement of a command that the journal stores."""
        self._acks.append(command)
        self._changed.set()

    def remove(self, sequence: int) -> Update | None:
        """Remove and return an answered update; None if it is not pending."""
        return self._updates.pop(sequence, None)

    def remove_task(self, task_id: TaskId) -> None:
        """Remove the pending updates of a task."""
        self._updates = {
            sequence: update for sequence, update in self._updates.items() if update.task_id != task_id
        }

    def has_task(self, task_id: TaskId) -> bool:
        """Return whether an update of a task is pending."""
        return any(update.task_id == task_id for update in self._updates.values())

    def after(self, sequence: int, limit: int) -> list[Update]:
        """Return up to `limit` pending updates with a higher sequence, in order."""
        found: list[Update] = []
        for number, update in self._updates.items():
            if number > sequence:
                found.append(update)
                if len(found) == limit:
                    break
        return found

    def drain_acks(self) -> list[int]:
        """Remove and return the queued acknowledgements. The scheduler resends a command whose ack was lost."""
        acks, self._acks = self._acks, []
        return acks

    def wake(self) -> None:
        """Wake the waiter of `wait_changed`."""
        self._changed.set()

    async def wait_changed(self) -> None:
        """Wait until something was queued, or `wake` was called, since the last call."""
        await self._changed.wait()
        self._changed.clear()

    def __len__(self) -> int:
        """Return the number of pending updates."""
        return len(self._updates)
