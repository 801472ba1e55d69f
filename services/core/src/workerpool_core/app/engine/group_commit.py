"""Group commit: makes outcomes durable in batches, then executes their effects.

The next batch accumulates while the store writes the current one, so a single outcome and a thousand concurrent ones
each wait for one write. A second loop applies durable changes to the collections. It delays them, unless a query needs
them, so that the changes of one replicate within the delay become one write.

During an outage of the store, both loops wait with their batch, and further outcomes accumulate. The scheduler repeats
unanswered requests every few seconds; of those repetitions only the newest is kept, so that memory does not grow with
the outage.

The kit's `Batcher` does not fit: effects must follow in order, and a batch is limited by bytes.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Generic

from workerpool_kit.process import Lifetime

from workerpool_core.app.ports import C, DurableStore
from workerpool_core.domain.decisions import (
    CheckResult,
    Effect,
    FindSms,
    Outcome,
    ReadTask,
    ReadWeight,
    RequestEnclaveChallenge,
    RequestTransaction,
)

_MAX_BATCH_CHANGES = 4_000
_MAX_BATCH_BYTES = 6_000_000
"""Limits of one journal entry: changes and estimated bytes. A MongoDB document holds at most 16 MB."""
_MAX_UNAPPLIED = 50_000
"""Unapplied changes above which new batches wait for the collections."""
_APPLY_DELAY_S = 0.5
"""Seconds for which durable changes accumulate before they are applied."""
_COMPANY_S = 0.1
"""Seconds for which an outcome without effects waits for others to share their journal entry: nothing waits for it."""
_STALLED_S = 1.0
"""Seconds without an answer of the store after which repeated requests replace the earlier ones."""
_TRIM_EVERY = 64
"""Applied journal entries that accumulate before they are removed."""


@dataclass(slots=True)
class _Pending(Generic[C]):
    changes: list[C]
    effects: Sequence[Effect]


def _request(effect: Effect) -> Effect | None:
    """Return what identifies a request that the scheduler repeats until it is answered; None for other effects."""
    match effect:
        case ReadTask(task_id, wallets):
            return ReadTask(task_id, wallets)
        case ReadWeight() | CheckResult() | FindSms() | RequestEnclaveChallenge() | RequestTransaction():
            return effect
    return None


class GroupCommit(Generic[C]):
    """The only writer of outcomes; it calls `perform` for each effect, in order, once its writes are durable.

    It calls `prepare` for each effect while its batch is being written.
    """

    def __init__(
        self,
        store: DurableStore[C],
        newest: int,
        perform: Callable[[Effect], None],
        prepare: Callable[[Effect], None] = lambda _effect: None,
    ) -> None:
        """Create a stopped writer; `newest` is the number of the newest journal entry."""
        self._store = store
        self._perform = perform
        self._prepare = prepare
        self._waiting: deque[_Pending[C]] = deque()
        self._writing = False
        self._appended = self._applied = self._trimmed = newest
        self._unapplied: list[C] = []
        self._enqueued = self._taken = self._durable = 0
        """Numbers of outcomes: enqueued so far, taken into a batch, durable."""
        self._batch_is_durable = asyncio.Condition()
        self._appended_something = asyncio.Event()
        self._applied_something = asyncio.Condition()
        self._apply_now = asyncio.Event()
        self._put_something = asyncio.Event()
        self._company: asyncio.TimerHandle | None = None
        self._requests: dict[Effect, tuple[list[Effect], int]] = {}
        """The place of each request in an outcome that waits since the store stalled."""
        self._calls: dict[str, float] = {}
        """When each call of the store that has not returned began, in seconds of the event loop's clock."""
        self._idle = asyncio.Event()
        self._idle.set()

    def start(self, lifetime: Lifetime) -> list[asyncio.Task[None]]:
        """Start both loops; a failed write stops the process, because memory and store would differ."""
        return [
            lifetime.spawn(self._write_loop(), "group-commit"),
            lifetime.spawn(self._apply_loop(), "apply-journal"),
        ]

    def put(self, outcome: Outcome) -> None:
        """Enqueue an outcome; its effects follow its writes and every earlier outcome."""
        if not outcome.writes and not self._waiting and not self._writing:
            # An event that changes nothing, such as a heartbeat, needs no write.
            for effect in outcome.effects:
                self._perform(effect)
        elif outcome.writes or outcome.effects:
            if not outcome.writes and self.stalled_s() > _STALLED_S:
                outcome = Outcome([], self._without_repetitions(outcome.effects))
                if not outcome.effects:
                    return
            # Encode now, because the scheduler keeps changing the objects that the writes hold.
            self._waiting.append(_Pending(self._store.encode(outcome.writes), outcome.effects))
            self._enqueued += 1
            self._idle.clear()
            if outcome.effects:
                self._put_something.set()
            elif self._company is None:
                # Such as a cursor that moves over foreign blocks, or a command that a worker acknowledged.
                self._company = asyncio.get_running_loop().call_later(_COMPANY_S, self._put_something.set)

    def stalled_s(self) -> float:
        """Return for how many seconds the store has not answered the oldest pending write; 0 without one."""
        return asyncio.get_running_loop().time() - min(self._calls.values()) if self._calls else 0.0

    def _without_repetitions(self, effects: Sequence[Effect]) -> list[Effect]:
        """Replace waiting requests by newer ones; return the other effects."""
        others: list[Effect] = []
        for effect in effects:
            request = _request(effect)
            if request is not None and (held := self._requests.get(request)) is not None:
                waiting, place = held
                waiting[place] = effect
                continue
            if request is not None:
                self._requests[request] = others, len(others)
            others.append(effect)
        return others

    async def drained(self) -> None:
        """Wait until every enqueued outcome is durable and its effects are performed."""
        self._put_something.set()
        await self._idle.wait()

    async def durable(self) -> None:
        """Wait until every outcome that is enqueued now is durable."""
        number = self._enqueued
        if self._durable < number:
            self._put_something.set()
            async with self._batch_is_durable:
                await self._batch_is_durable.wait_for(lambda: self._durable >= number)

    @property
    def applied(self) -> int:
        """Number of the newest journal entry that the collections hold."""
        return self._applied

    async def visible(self) -> None:
        """Wait until the collections hold everything that is durable now."""
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
            if self._company is not None:
                self._company.cancel()
                self._company = None
            if self._waiting:
                await self._write_batch()
            if not self._waiting:
                self._idle.set()

    async def _write_batch(self) -> None:
        changes, effects = self._take()
        if self._waiting:
            # More than one entry holds.
            self._put_something.set()
        # An effect may enqueue the next outcome at once; `_writing` makes that one follow this batch.
        self._writing = True
        if changes:
            asyncio.get_running_loop().call_soon(self._prepare_all, effects)
            await self._append(changes)
        self._durable = self._taken
        for effect in effects:
            self._perform(effect)
        self._writing = False
        async with self._batch_is_durable:
            self._batch_is_durable.notify_all()

    def _prepare_all(self, effects: list[Effect]) -> None:
        for effect in effects:
            self._prepare(effect)

    def _take(self) -> tuple[list[C], list[Effect]]:
        """Dequeue whole outcomes up to the limits; split one that exceeds them alone (a bag of thousands of tasks).

        The effects of a split outcome follow its last part. A crash between two parts is harmless: the cursor moves
        in the last part, and creating a task twice changes nothing.
        """
        changes: list[C] = []
        effects: list[Effect] = []
        size = 0
        self._requests.clear()
        while self._waiting:
            pending = self._waiting[0]
            cost = sum(change.estimated_bytes for change in pending.changes)
            if changes and (
                size + cost > _MAX_BATCH_BYTES or len(changes) + len(pending.changes) > _MAX_BATCH_CHANGES
            ):
                break
            if cost > _MAX_BATCH_BYTES or len(pending.changes) > _MAX_BATCH_CHANGES:
                return self._split(pending), effects
            self._waiting.popleft()
            self._taken += 1
            changes += pending.changes
            effects += pending.effects
            size += cost
        return changes, effects

    @staticmethod
    def _split(pending: _Pending[C]) -> list[C]:
        size = count = 0
        for change in pending.changes[:_MAX_BATCH_CHANGES]:
            size += change.estimated_bytes
            if count and size > _MAX_BATCH_BYTES:
                break
            count += 1
        front, pending.changes = pending.changes[:count], pending.changes[count:]
        return front

    async def _append(self, changes: list[C]) -> None:
        while len(self._unapplied) > _MAX_UNAPPLIED:
            await self.visible()
        number = self._appended + 1
        with self._pending("append"):
            merged = await self._store.append(number, changes)
        self._appended = number
        self._unapplied.extend(merged)
        self._appended_something.set()

    @contextmanager
    def _pending(self, call: str) -> Iterator[None]:
        self._calls[call] = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            del self._calls[call]

    async def _apply_loop(self) -> None:
        while True:
            await self._appended_something.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._apply_now.wait(), _APPLY_DELAY_S)
            self._appended_something.clear()
            self._apply_now.clear()
            number, changes = self._appended, self._unapplied
            self._unapplied = []
            with self._pending("apply"):
                await self._store.apply(changes)
            async with self._applied_something:
                self._applied = number
                self._applied_something.notify_all()
            if number - self._trimmed >= _TRIM_EVERY:
                await self._store.trim(number)
                self._trimmed = number
