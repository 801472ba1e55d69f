"""Makes outcomes durable in groups, and only then lets their effects happen.

While one batch is on its way to the disk, the next one gathers; so one outcome alone waits for one
write, and a thousand at once also wait for one. Behind the journal a second loop brings the
collections up to date. It lets changes gather first, unless somebody waits to see them: most replicates
run through several batches within that time, and all their changes become one write.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from workerpool_kit.process import Lifetime

from workerpool_core.adapters.mongo.changes import Bson, Change, Kind, merge_all
from workerpool_core.domain.decisions import Effect, Outcome, Write

_MOST_CHANGES = 4_000
_MOST_BYTES = 6_000_000
"""Changes and estimated bytes in one journal entry; MongoDB takes documents of up to 16 MB."""
_MOST_UNAPPLIED = 50_000
"""Changes that may wait to reach the collections before new batches wait for them."""
_GATHER_S = 0.1
"""How long durable changes gather before they reach the collections."""
_TRIM_EVERY = 64
"""Journal entries that gather before they are removed together."""


class DurableStore(Protocol):
    """What group commit needs of the store."""

    async def append(self, number: int, changes: list[Bson]) -> None:
        """Make a batch durable as journal entry `number`."""

    async def apply(self, changes: list[Change]) -> None:
        """Bring the collections up to date with durable changes."""

    async def trim(self, number: int) -> None:
        """Remove journal entries before `number`."""

    def encode(self, writes: Sequence[Write]) -> list[Change]:
        """Return the changes that writes ask for."""


@dataclass(slots=True)
class _Pending:
    changes: list[Change]
    effects: Sequence[Effect]


class GroupCommit:
    """One writer for all outcomes. `perform` is called for each effect, in order, once it may happen.

    `prepare` is called for each effect while its batch is on its way to the disk.
    """

    def __init__(
        self,
        store: DurableStore,
        newest: int,
        perform: Callable[[Effect], None],
        prepare: Callable[[Effect], None] = lambda _effect: None,
    ) -> None:
        """Prepare; `newest` is the number of the journal's newest entry."""
        self._store = store
        self._perform = perform
        self._prepare = prepare
        self._waiting: deque[_Pending] = deque()
        self._writing = False
        self._appended = self._applied = self._trimmed = newest
        self._unapplied: list[Change] = []
        self._appended_something = asyncio.Event()
        self._applied_something = asyncio.Condition()
        self._apply_now = asyncio.Event()
        self._put_something = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def start(self, lifetime: Lifetime) -> list[asyncio.Task[None]]:
        """Begin to write; a failure of the database stops the process, since memory and store would differ."""
        return [
            lifetime.spawn(self._write_loop(), "group-commit"),
            lifetime.spawn(self._apply_loop(), "apply-journal"),
        ]

    def put(self, outcome: Outcome) -> None:
        """Take an outcome. Effects happen after its writes, and after everything that was put before."""
        if not outcome.writes and not self._waiting and not self._writing:
            # Nothing to wait for: a heartbeat or an answer that changes nothing costs no write.
            for effect in outcome.effects:
                self._perform(effect)
        elif outcome.writes or outcome.effects:
            # Encoded now: the scheduler goes on changing the objects that the writes hold.
            self._waiting.append(_Pending(self._store.encode(outcome.writes), outcome.effects))
            self._idle.clear()
            self._put_something.set()

    async def drained(self) -> None:
        """Wait until everything that was put is durable and its effects were carried out."""
        await self._idle.wait()

    async def visible(self) -> None:
        """Wait until queries of the collections see everything that is durable now."""
        number = self._appended
        if self._applied >= number:
            return
        self._apply_now.set()
        async with self._applied_something:
            await self._applied_something.wait_for(lambda: self._applied >= number)

    async def _write_loop(self) -> None:
        while True:
            await self._put_something.wait()
            self._put_something.clear()
            while self._waiting:
                changes, effects = self._take()
                # An effect may put the next outcome at once; while `_writing` it waits behind this batch.
                self._writing = True
                if changes:
                    asyncio.get_running_loop().call_soon(self._prepare_all, effects)
                    await self._append(changes)
                for effect in effects:
                    self._perform(effect)
                self._writing = False
            self._idle.set()

    def _prepare_all(self, effects: list[Effect]) -> None:
        for effect in effects:
            self._prepare(effect)

    def _take(self) -> tuple[list[Change], list[Effect]]:
        """Take whole outcomes up to the limits. One that is larger by itself (a bag of thousands) is cut.

        The effects of a cut outcome follow its last part; whatever a death leaves of it is harmless, since the
        cursor moves in the last part and creating a task twice changes nothing.
        """
        changes: list[Change] = []
        effects: list[Effect] = []
        size = 0
        while self._waiting:
            pending = self._waiting[0]
            cost = sum(map(_bytes, pending.changes))
            if changes and (size + cost > _MOST_BYTES or len(changes) + len(pending.changes) > _MOST_CHANGES):
                break
            if cost > _MOST_BYTES or len(pending.changes) > _MOST_CHANGES:
                return self._cut(pending), effects
            self._waiting.popleft()
            changes += pending.changes
            effects += pending.effects
            size += cost
        return changes, effects

    @staticmethod
    def _cut(pending: _Pending) -> list[Change]:
        size = count = 0
        for change in pending.changes[:_MOST_CHANGES]:
            size += _bytes(change)
            if count and size > _MOST_BYTES:
                break
            count += 1
        front, pending.changes = pending.changes[:count], pending.changes[count:]
        return front

    async def _append(self, changes: list[Change]) -> None:
        while len(self._unapplied) > _MOST_UNAPPLIED:
            await self.visible()
        number = self._appended + 1
        merged = merge_all(changes)
        for change in merged:
            change.first = change.last = number
        await self._store.append(number, [change.to_bson() for change in merged])
        self._appended = number
        self._unapplied.extend(merged)
        self._appended_something.set()

    async def _apply_loop(self) -> None:
        while True:
            await self._appended_something.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._apply_now.wait(), _GATHER_S)
            self._appended_something.clear()
            self._apply_now.clear()
            number, changes = self._appended, self._unapplied
            self._unapplied = []
            await self._store.apply(changes)
            async with self._applied_something:
                self._applied = number
                self._applied_something.notify_all()
            if number - self._trimmed >= _TRIM_EVERY:
                await self._store.trim(number)
                self._trimmed = number


def _bytes(change: Change) -> int:
    """Estimate the size of a change; what requesters, apps and workers write can be long, everything else is short."""
    if change.kind is Kind.ALTER:
        fields = change.fields
        texts_of_workers = len(fields.get("result_link", "")) + len(fields.get("callback_data", ""))
        return 300 + 200 * len(change.history) + 3 * texts_of_workers
    document = change.document
    texts = [document.get("stdout", ""), document.get("stderr", "")]
    if (terms := document.get("terms")) is not None:
        texts += [terms["command_line"], terms["app_uri"], terms["dataset_uri"], *terms["input_files"]]
        texts += [text for pair in terms["secrets"] for text in pair]
    return 1_500 + 3 * sum(map(len, texts))
