"""Follows the entries in flight on chain: receipts, lost and stuck transactions, used and unused nonces."""

import asyncio
from collections.abc import Sequence

from workerpool_kit.logs import get_logger
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.ids import Hex

from workerpool_transactions import metrics
from workerpool_transactions.app.context import Context
from workerpool_transactions.app.endings import Endings
from workerpool_transactions.app.mined import Mined
from workerpool_transactions.app.status import status_of
from workerpool_transactions.domain import looking
from workerpool_transactions.domain.answers import Counts
from workerpool_transactions.domain.entry import EntryState, Receipt
from workerpool_transactions.domain.item import Item
from workerpool_transactions.domain.looking import End
from workerpool_transactions.domain.steering import pause_s

log = get_logger()

RECEIPTS_PER_READ = 100
_FIRST_RECEIPTS = 8
"""Transactions whose receipts come with the counts, at the first look after a node took them."""
SHORTEST_INTERVAL_S = 0.1
"""Mean time between two polls, however often the chain or a send requests one."""
BURST = 6
"""Polls that may follow each other at once after a rest: a wallet's next transaction may be mined right after one."""
LONGEST_INTERVAL_S = 2.0
BALANCE_S = 15.0
IDLE_BALANCE_S = 60.0
"""The balance is read so often while transactions are in flight, and at heads while none is."""


class Watcher:
    """Looks at the chain while something is in flight or in doubt, and never otherwise."""

    def __init__(self, context: Context, mined: Mined, endings: Endings) -> None:
        self._context = context
        self._mined = mined
        self._endings = endings
        self._failures = 0
        self._looked_at = self._looked_before = 0.0
        """When the last two looks began."""
        self._credit = float(BURST)
        """Polls that the last one left allowed; each `SHORTEST_INTERVAL_S` allows one more."""
        self._pushed_at: float | None = None

    def pushed(self) -> None:
        """Note a new head: while heads come, looks follow them."""
        self._pushed_at = self._context.timer.time()
        if len(self._context.queue) or self._is_balance_due():
            self._context.look_now.set()

    async def run(self) -> None:
        """Look without end; waits while the node does not answer."""
        context = self._context
        while True:
            await context.timer.wait(context.look_now, self._pause())
            if context.looked.is_set() and self._is_unanswered():
                # Before a node answers the first send a look finds nothing, unless that takes long.
                context.look_now.clear()
                await context.timer.wait(context.look_now, self._pause())
            cost = float(self._reads())
            if (credit := self._credit_now()) < cost:
                await context.timer.wait(asyncio.Event(), (cost - credit) * SHORTEST_INTERVAL_S)
            context.look_now.clear()
            self._credit, self._looked_before = max(self._credit_now() - cost, 0.0), self._looked_at
            self._looked_at = context.timer.time()
            try:
                try:
                    await self.look()
                    context.looked.set()
                finally:
                    status_of(context)
                self._failures = 0
            except PocoError as error:
                self._failures += 1
                log.warning("watcher.chain_lost", wallet=context.wallet, error=str(error))
                await context.timer.wait(asyncio.Event(), pause_s(self._failures))

    def _reads(self) -> bool:
        """Return whether a look reads the chain. One that does not, as after the last end, costs the node nothing."""
        context = self._context
        return len(context.queue) > 0 or self._is_balance_due() or context.watch.is_due(context.timer.time())

    def _is_unanswered(self) -> bool:
        in_window = self._context.queue.in_window()
        return bool(in_window) and all(each.known_at is None for each in in_window)

    def _credit_now(self) -> float:
        since = self._context.timer.time() - self._looked_at
        return min(self._credit + since / SHORTEST_INTERVAL_S, BURST)

    def _pause(self) -> float | None:
        """Return the seconds until the next poll unless one is requested; None while there is nothing to do."""
        context, now = self._context, self._context.timer.time()
        pauses = []
        if len(context.queue):
            block_time = context.block_time_s
            pushes = self._pushed_at is not None and now - self._pushed_at < 2 * block_time + 1
            pauses.append(
                LONGEST_INTERVAL_S if pushes else min(max(block_time / 2, 0.25), LONGEST_INTERVAL_S)
            )
        if (at := context.watch.next_look()) is not None:
            pauses.append(max(at - now, 0.0))
        return min(pauses, default=None)

    async def look(self) -> None:
        """Compare the entries with the chain once. Raises ChainUnreachable."""
        context = self._context
        await self._mined.look()
        if len(context.queue):
            await self._look()
        if self._is_balance_due():
            await context.fees.refresh_balance()

    def _is_balance_due(self) -> bool:
        return self._context.fees.is_balance_older(BALANCE_S if len(self._context.queue) else IDLE_BALANCE_S)

    async def _look(self) -> None:
        context = self._context
        now = context.timer.time()
        new = self._taken_since_last_look()
        counts, receipts = await context.node.look([v.hash for each in new for v in each.entry.versions])
        context.queue.block = max(context.queue.block, counts.block_number)
        context.counting.counted(counts, now)
        metrics.TRANSACTION_COUNT.labels(context.wallet).set(context.counting.mined)
        highest = context.watch.highest
        if highest is not None and counts.mined <= highest:
            context.watch.doubts.doubt()
        looking.unused(context.queue.in_order(), context.counting.mined)
        past = context.queue.below(context.counting.mined)
        # A node may answer the parts of one request in any order, so that only the counts know the newest transaction.
        receipts |= await self._receipts(
            [each for each in past if looking.receipt_of(each.entry, receipts) is None]
        )
        ends = looking.mined_ends(past, receipts)
        ends += await self._displaced(past, counts, ends)
        await self._endings.end(ends)
        await self._unblock(counts)
        await self._follow_waiting(counts)

    def _taken_since_last_look(self) -> list[Item]:
        """Return the lowest of these: many chains have mined a transaction by the time their node takes it."""
        known = (each for each in self._context.queue.in_window() if each.known_at is not None)
        new = [each for each in known if (each.known_at or 0.0) >= self._looked_before]
        return new[:_FIRST_RECEIPTS]

    async def _receipts(self, items: Sequence[Item]) -> dict[Hex, Receipt]:
        hashes = [version.hash for each in items for version in each.entry.versions]
        found = dict[Hex, Receipt]()
        for start in range(0, len(hashes), RECEIPTS_PER_READ):
            found |= await self._context.node.receipts(hashes[start : start + RECEIPTS_PER_READ])
        return found

    async def _displaced(self, past: Sequence[Item], counts: Counts, ends: Sequence[End]) -> list[End]:
        """Return the entries whose nonces other transactions used, once the nodes have said so for long enough."""
        context = self._context
        certain = looking.suspects(past, counts.mined, ends, context.timer.time())
        if not certain:
            return []
        known = await context.node.known([v.hash for each in certain for v in each.entry.versions])
        displaced = []
        for each in certain:
            if any(version.hash in known for version in each.entry.versions):
                # The node has it, though not its receipt yet.
                each.believed()
            else:
                displaced.append(End(each.nonce, EntryState.DISPLACED))
        return displaced

    async def _unblock(self, counts: Counts) -> None:
        context = self._context
        block = context.counting.block(counts, context.queue.lowest, context.timer.time())
        if block is not None:
            await self._mined.unblock(block)

    async def _follow_waiting(self, counts: Counts) -> None:
        """Send again what the node lost, and have the lowest nonce replaced when it waits too long."""
        context = self._context
        mined = context.counting.mined
        waiting = [each for each in context.queue.in_window() if each.nonce >= mined]
        if not waiting:
            return
        asked = looking.checks(waiting, context.profile.resend_after_s, context.timer.time())
        if asked:
            known = await context.node.known([v.hash for each in asked for v in each.entry.versions])
            looking.checked(waiting, asked, known, context.timer.time())
        limit = max(context.profile.replace_after_s, looking.REPLACE_AFTER_BLOCKS * context.block_time_s)
        # A higher offer wins nothing while a lower nonce is not mined.
        is_next = waiting[0].nonce == mined
        if is_next and context.profile.has_mempool and not context.profile.is_free:
            looking.mark_stuck(waiting[0], context.queue.block, limit, context.timer.time())
        context.send_now.set()
