"""Puts ended entries in flight again when their nonces are unused: after reorganisations, and for gaps."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.ids import Hex

from workerpool_transactions import metrics
from workerpool_transactions.app.context import Context
from workerpool_transactions.domain.counting import Block
from workerpool_transactions.domain.entry import Entry, EntryState, Receipt
from workerpool_transactions.domain.watch import VANISHING_LOOK_S
from workerpool_transactions.ports import NonceTaken

log = get_logger()

_RECEIPTS_PER_READ = 100
_WITH_WORK = frozenset({EntryState.MINED, EntryState.REVERTED})


class Mined:
    """Compares mined entries with the chain, and unblocks those in flight."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._untold: list[Entry] = []
        self._lock = asyncio.Lock()

    async def look(self) -> None:
        """Compare the watched entries with the chain if a reorganisation may have removed some.

        Raises ChainUnreachable, and the doubt then remains.
        """
        await self._tell()
        watch, now = self._context.watch, self._context.timer.time()
        if watch.is_due(now):
            await self._compare(compares_all=watch.needs_all(now))

    async def recheck(self) -> None:
        """Compare all watched entries with the chain now. Raises ChainUnreachable."""
        await self._compare(compares_all=True)
        while self._context.watch.is_vanishing:
            await self._context.timer.wait(asyncio.Event(), VANISHING_LOOK_S)
            await self._compare(compares_all=True)

    async def _compare(self, *, compares_all: bool) -> None:
        context = self._context
        watch = context.watch
        async with self._lock:
            watch.looking(context.timer.time())
            if compares_all or not await self._stand():
                receipts = await self._receipts(watch.entries())
                moved, gone = watch.compared(receipts, context.timer.time())
                if moved:
                    await context.settle([each for each in moved if not each.is_filler])
                    await context.journal.save(moved)
                    watch.moved(moved)
                await self.put_back(gone)
            watch.looked(context.timer.time())

    async def _stand(self) -> bool:
        context, watch = self._context, self._context.watch
        sample = watch.sample(context.timer.time())
        return watch.stand(sample, await self._receipts(sample), context.timer.time())

    async def _receipts(self, entries: Sequence[Entry]) -> dict[Hex, Receipt]:
        hashes = [version.hash for each in entries for version in each.versions]
        found = dict[Hex, Receipt]()
        for start in range(0, len(hashes), _RECEIPTS_PER_READ):
            found |= await self._context.node.receipts(hashes[start : start + _RECEIPTS_PER_READ])
        return found

    async def put_back(self, ended: Sequence[Entry]) -> None:
        """Put ended entries in flight again: write the journal first, then notify the caller.

        The caller hands the work of a displaced or refused entry to another nonce, so such an entry returns as a
        filler.
        """
        if not ended:
            return
        context = self._context
        log.warning("transactions.reorganised", wallet=context.wallet, nonces=[each.nonce for each in ended])
        metrics.RESTORED.labels(context.wallet).inc(len(ended))
        now = context.clock.now()
        live = [each.live_again(now) if each.state in _WITH_WORK else each.handed_back(now) for each in ended]
        # Journaled first: after a crash `resume` finds them live and notifies the caller again.
        await context.journal.save(live)
        context.watch.remove(each.nonce for each in live)
        context.queue.put(live, context.timer.time())
        context.send_now.set()
        context.look_now.set()
        self._untold += [each for each in live if not each.is_filler]
        await self._tell()

    async def _tell(self) -> None:
        while self._untold:
            told = list(self._untold)
            await self._context.restore(told)
            del self._untold[: len(told)]

    async def unblock(self, block: Block) -> None:
        """Put entries in flight again that must be mined before those in flight, or use the nonce that blocks them.

        A nonce for which another program's transaction waits is used only when that one is stuck: a displaced entry
        stays ended until then, and no filler takes its place. Raises ChainUnreachable.
        """
        context, free = self._context, block.unused
        if free is None and block.is_stuck and context.policy.reaches(await context.fees.quote()):
            free = block.nonce
        ended = await context.journal.ended(block.nonce, context.queue.lowest)
        await self.put_back(
            [
                each
                for each in ended
                if each.state is not EntryState.DISPLACED
                or each.nonce == free
                or (block.unused is not None and each.nonce > block.unused)
            ]
        )
        is_held = any(each.nonce == free for each in ended)
        if free is not None and not is_held and free not in context.queue:
            await self._fill(free)

    async def _fill(self, nonce: int) -> None:
        context = self._context
        transfer = await context.transfer()
        offer = context.policy.offer(await context.fees.quote())
        version = replace(context.signer.sign(nonce, transfer, offer), is_empty=True)
        now = context.clock.now()
        filler = Entry(nonce, transfer, (version,), now, updated_at=now)
        try:
            await context.journal.add([filler])
        except NonceTaken:
            await context.adopt()
            return
        context.fillers += 1
        metrics.FILLERS.labels(context.wallet).inc()
        log.warning("nonce.filled", wallet=context.wallet, nonce=nonce, transaction=version.hash)
        context.queue.put([filler], context.timer.time())
        context.send_now.set()
