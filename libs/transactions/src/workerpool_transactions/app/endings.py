"""Ends entries: first the caller settles them, then the journal stores that they ended."""

import asyncio
from collections.abc import Sequence

from workerpool_kit.logs import get_logger

from workerpool_transactions import metrics
from workerpool_transactions.app.context import Context
from workerpool_transactions.domain.entry import Entry, EntryState
from workerpool_transactions.domain.looking import End

log = get_logger()


class Endings:
    """Ends entries, and wakes those that wait for one."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._waiting: dict[int, asyncio.Future[Entry]] = {}

    async def end(self, ends: Sequence[End]) -> None:
        """End entries that are in flight. A crash before the journal's write repeats all of it."""
        context = self._context
        items = [(item, end) for end in ends if (item := context.queue.get(end.nonce)) is not None]
        if not items:
            return
        for item, _ in items:
            item.is_ending = True
        try:
            now = context.clock.now()
            # A filler carries no work.
            if worked := [end.of(item.entry, now) for item, end in items if not item.entry.is_filler]:
                await context.settle(worked)
            async with context.writes:
                # A version may have been added while the caller settled.
                ended = [end.of(item.entry, now) for item, end in items]
                await context.journal.save(ended)
        except BaseException:
            for item, _ in items:
                item.is_ending = False
            raise
        context.queue.drop(each.nonce for each in ended)
        context.watch.put(ended, context.timer.time())
        for each in ended:
            self._tell(each)
        context.send_now.set()
        context.ended.set()

    def _tell(self, entry: Entry) -> None:
        context = self._context
        metrics.ENDED.labels(context.wallet, entry.state.value).inc()
        fields = {"wallet": context.wallet, "nonce": entry.nonce, "transaction": entry.latest.hash}
        if entry.state is EntryState.MINED:
            log.debug("transaction.mined", **fields)
        elif entry.state is EntryState.DISPLACED:
            # Another program may use more nonces of the wallet.
            context.next_nonce = None
            log.warning("transaction.displaced", **fields, labels=entry.call.labels)
        else:
            log.warning("transaction.failed", **fields, state=entry.state.value, labels=entry.call.labels)
        if (future := self._waiting.pop(entry.nonce, None)) is not None and not future.done():
            future.set_result(entry)

    async def wait(self, nonce: int) -> Entry:
        """Return the entry once it has ended. Raises KeyError when the journal has no such nonce."""
        if nonce not in self._context.queue:
            for each in await self._context.journal.ended(nonce, nonce + 1):
                return each
            if nonce not in self._context.queue:
                raise KeyError(f"the journal holds no transaction with nonce {nonce}")
        future = self._waiting.get(nonce)
        if future is None:
            future = self._waiting[nonce] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(future)
