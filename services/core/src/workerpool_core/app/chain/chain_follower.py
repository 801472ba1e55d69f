"""Follows the chain block by block and tells the scheduler what concerns this pool.

New heads are pushed by the node; nothing polls between a block and its effects. A cursor that is
stored after every effect of a block makes replay harmless; parent hashes are checked, and a
reorganisation is told as one `BlocksReverted` followed by the surviving blocks.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass
from typing import TypeVar

from workerpool_kit.logs import get_logger
from workerpool_poco.errors import CallReverted, EmptyAnswer, MalformedAnswer, PocoError
from workerpool_poco.protocol.events import HubEvent, SchedulerNotice
from workerpool_poco.protocol.ids import Address, TaskId, task_id_of, to_hex
from workerpool_poco.protocol.model import REORGANISATION_BLOCKS, Block

from workerpool_core.app.chain.deals import DealReader, DealRefused
from workerpool_core.app.chain.task_events import FOLLOWED, task_log
from workerpool_core.app.ports import BlockReader, BlockSink, HeadSource
from workerpool_core.domain.events import BlockSeen, BlocksReverted, DealSeen, TaskLog
from workerpool_core.domain.model import DealTerms

log = get_logger()
T = TypeVar("T")

_BLOCK_BY_BLOCK = 16
"""Up to this far behind the head blocks are read one by one; further behind, in ranges of logs.

A range tells nothing of blocks that the node asked does not have yet, while another node of the same provider does.
"""
_LARGEST_RANGE = 1_000
_GROW_AFTER = 8
"""Ranges that are answered in a row before a larger one is tried."""
_RETRY_FIRST_S, _RETRY_LAST_S = 0.2, 1.0
_MALFORMED_ATTEMPTS = 30
_DOUBTS = 8
"""How often all logs of a block are asked for while there are none and its header contradicts that (some 5 seconds)."""


class Reorganised(Exception):
    """The chain changed while it was read; the follower looks for the common ancestor."""


@dataclass(frozen=True, slots=True)
class Position:
    """A block that was followed to its end."""

    number: int
    hash: str


class ChainFollower:
    """Reads one hub's events for one pool. Run `run` for ever; `submit` takes the events.

    `known` says which tasks live, so that the events of other pools' tasks are passed over.
    """

    def __init__(
        self,
        hub: BlockReader,
        heads: HeadSource,
        deals: DealReader,
        pool: Address,
        submit: BlockSink,
        *,
        known: Container[TaskId],
        confirmations: int = 0,
        start_block: int = 0,
        position: Position | None = None,
        largest_range: int = _LARGEST_RANGE,
        latest_deal_block: int = 0,
    ) -> None:
        """Prepare; a stored `position` wins over `start_block`. `latest_deal_block` is the newest one told before."""
        self._hub = hub
        self._heads = heads
        self._deals = deals
        self._pool = pool
        self._submit = submit
        self._known = known
        self._confirmations = confirmations
        self._range = self._largest_range = largest_range
        self._answered_ranges = 0
        # Before the first block there is no hash to compare with.
        self.position = position or Position(start_block - 1, "")
        self._hashes: OrderedDict[int, str] = OrderedDict()
        self._remember(self.position)
        self._warned_at: int | None = None
        self.deals_seen = 0
        self.latest_deal_block = latest_deal_block

    async def run(self) -> None:
        """Follow the chain, for ever; while the node is away it waits."""
        log.info("follower.started", block=self.position.number, hash=self.position.hash)
        async for head in self._heads:
            await self._retried("follow", lambda head=head: self._follow(head))  # type: ignore[misc]

    async def _retried(self, what: str, step: Callable[[], Awaitable[T]]) -> T:
        pause = _RETRY_FIRST_S
        while True:
            try:
                return await step()
            except PocoError as error:
                log.warning("follower.retry", step=what, block=self.position.number, error=str(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, _RETRY_LAST_S)

    async def _follow(self, head: Block) -> None:
        """Go on to the newest confirmed block; more heads may come meanwhile, so the newest one counts."""
        while True:
            head = self._heads.latest or head
            target = head.number - self._confirmations
            try:
                if target < self.position.number or (
                    target == self.position.number and self._differs(target, head)
                ):
                    await self._look_back(head)
                if target <= self.position.number:
                    return
                if target - self.position.number <= _BLOCK_BY_BLOCK:
                    await self._follow_blocks(head, target)
                else:
                    await self._follow_range(min(target, head.number - _BLOCK_BY_BLOCK))
            except Reorganised:
                await self._revert()

    # --- near the head ----------------------------------------------------------------------

    async def _follow_blocks(self, head: Block, target: int) -> None:
        numbers = range(self.position.number + 1, target + 1)
        # The usual case is one new block whose header the node has just pushed.
        known = [head] if len(numbers) == 1 and head.number == target else await self._hub.blocks(numbers)
        for block in known:
            if block is None:
                raise Reorganised
            self._check_parent(block)
            await self._tell(block, await self._logs_of(block))

    async def _logs_of(self, block: Block) -> list[HubEvent]:
        """Read a block's events.

        A node may announce a block before it finds its logs; then the header's filter knows better. But so it seems
        too when other contracts' logs set the same bits, which one look at all logs of the block tells apart.
        """
        events = await self._hub.get_block_logs(block.hash, kinds=FOLLOWED)
        if events or not self._hub.may_hold(block, FOLLOWED):
            return events
        pause = _RETRY_FIRST_S
        for _ in range(_DOUBTS):
            found = await self._hub.sift_block_logs(block.hash, kinds=FOLLOWED)
            if found is not None:
                return found
            log.info("follower.logs_awaited", block=block.number)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _RETRY_LAST_S)
        return []

    def _check_parent(self, block: Block) -> None:
        if self.position.hash and to_hex(block.parent_hash) != self.position.hash:
            raise Reorganised

    # --- catching up ------------------------------------------------------------------------

    async def _follow_range(self, target: int) -> None:
        """Read the logs of many blocks at once; only blocks with news are told, and the last one."""
        await self._check_position()
        first = self.position.number + 1
        last = min(first + self._range - 1, target)
        try:
            events = await self._hub.get_logs(first, last, kinds=FOLLOWED)
        except MalformedAnswer:
            raise
        except PocoError as error:
            # Nodes refuse a range with many different errors, some only by a timeout.
            if self._range == 1:
                raise
            self._range = max(self._range // 2, 1)
            self._answered_ranges = 0
            log.info("follower.smaller_range", blocks=self._range, error=str(error))
            return
        self._answered_ranges += 1
        if self._answered_ranges % _GROW_AFTER == 0:
            self._range = min(self._range * 2, self._largest_range)
        by_block: dict[int, list[HubEvent]] = {}
        for event in events:
            by_block.setdefault(event.position.block_number, []).append(event)
        numbers = sorted({*(number for number in by_block if self._concerns(by_block[number])), last})
        for number, block in zip(numbers, await self._hub.blocks(numbers), strict=True):
            found = by_block.get(number, [])
            if block is None or any(event.position.block_hash != block.hash for event in found):
                raise Reorganised
            await self._tell(block, found)
        log.info("follower.caught_up", block=last, target=target)

    def _concerns(self, events: list[HubEvent]) -> bool:
        return any(
            (isinstance(event, SchedulerNotice) and event.workerpool == self._pool)
            # A task of a deal in the same range is not known yet, so every task event of the range is looked at.
            or not isinstance(event, SchedulerNotice)
            for event in events
        )

    async def _check_position(self) -> None:
        if self.position.hash:
            block = await self._hub.block(self.position.number)
            if block is None or to_hex(block.hash) != self.position.hash:
                raise Reorganised

    # --- telling ----------------------------------------------------------------------------

    async def _tell(self, block: Block, events: Sequence[HubEvent]) -> None:
        notices = [
            event for event in events if isinstance(event, SchedulerNotice) and event.workerpool == self._pool
        ]
        deals = await self._read_deals(notices)
        fresh = {
            task_id_of(deal.terms.deal_id, deal.terms.bot_first + offset)
            for deal in deals
            for offset in range(deal.terms.bot_size)
        }
        logs: list[TaskLog] = []
        for event in events:
            found = task_log(event)
            if found is not None and (found.task_id in self._known or found.task_id in fresh):
                logs.append(found)
        seen = BlockSeen(block.number, to_hex(block.hash), float(block.timestamp), tuple(deals), tuple(logs))
        self._submit(seen)
        if notices:
            self.deals_seen += len(notices)
            self.latest_deal_block = max(self.latest_deal_block, block.number)
        self.position = Position(block.number, seen.hash)
        self._remember(self.position)

    async def _read_deals(self, notices: Sequence[SchedulerNotice]) -> list[DealSeen]:
        deals: list[DealSeen] = []
        for notice in notices:
            if (deal := await self._read_deal(notice)) is not None:
                deals.append(deal)
        return deals

    async def _read_deal(self, notice: SchedulerNotice) -> DealSeen | None:
        """Read a deal, however long it takes: the cursor does not pass a deal that could not be read.

        Only a deal that the node tells and that still does not decode is given up in the end, since whoever wrote
        it would otherwise hold the whole pool. An empty answer is none of that: a node lags behind another.
        """
        block = notice.position.block_number
        for attempt in range(1, _MALFORMED_ATTEMPTS + 1):
            try:
                terms = await self._retried_read(notice, block)
            except DealRefused as error:
                log.info("deal.skipped", deal=notice.deal_id, block=block, reason=str(error))
                return None
            except (MalformedAnswer, CallReverted) as error:
                log.error("deal.unreadable", deal=notice.deal_id, attempt=attempt, error=str(error))
                await asyncio.sleep(min(_RETRY_FIRST_S * attempt, _RETRY_LAST_S))
                continue
            log.info("deal.seen", deal=terms.deal_id, block=block, tasks=terms.bot_size, trust=terms.trust)
            return DealSeen(terms)
        log.error("deal.given_up", deal=notice.deal_id, block=block)
        return None

    async def _retried_read(self, notice: SchedulerNotice, block: int) -> DealTerms:
        pause = _RETRY_FIRST_S
        while True:
            try:
                return await self._deals.read(notice.deal_id, block)
            except PocoError as error:
                if isinstance(error, (MalformedAnswer, CallReverted)) and not isinstance(error, EmptyAnswer):
                    raise
                log.warning("deal.retry", deal=notice.deal_id, error=str(error))
            if await self._vanished(notice):
                raise Reorganised
            await asyncio.sleep(pause)
            pause = min(pause * 2, _RETRY_LAST_S)

    async def _vanished(self, notice: SchedulerNotice) -> bool:
        """Tell whether the notice's block left the chain, so that its deal will never be readable."""
        try:
            block = await self._hub.block(notice.position.block_number)
        except PocoError:
            return False
        return block is not None and block.hash != notice.position.block_hash

    # --- reorganisations --------------------------------------------------------------------

    def _remember(self, position: Position) -> None:
        if position.hash:
            self._hashes[position.number] = position.hash
            while len(self._hashes) > REORGANISATION_BLOCKS + 1:
                self._hashes.popitem(last=False)

    def _differs(self, number: int, head: Block) -> bool:
        known = self._hashes.get(number)
        return known is not None and head.number == number and known != to_hex(head.hash)

    async def _look_back(self, head: Block) -> None:
        """Tell a node that lags behind (wait) from a chain that became shorter or different (revert)."""
        if self._differs(head.number, head):
            raise Reorganised
        if head.number == self.position.number:
            return
        block = await self._hub.block(self.position.number)
        if block is not None and self.position.hash and to_hex(block.hash) != self.position.hash:
            raise Reorganised
        if (
            self.position.number - head.number > REORGANISATION_BLOCKS
            and self._warned_at != self.position.number
        ):
            # Another chain than the database's, a node that lost its data, or a start block that is far away.
            self._warned_at = self.position.number
            log.warning("follower.ahead_of_node", waits_for=self.position.number + 1, head=head.number)

    async def _revert(self) -> None:
        """Go back to the newest block that is still on the chain."""
        ancestor = await self._retried("reorganisation", self._ancestor)
        if ancestor is None:
            # The chain changed under a read above our position, or a node lags; nothing that was told is wrong.
            await asyncio.sleep(_RETRY_FIRST_S)
            return
        log.warning(
            "follower.reorganised", ancestor=ancestor.number, reverted=self.position.number - ancestor.number
        )
        self._hashes = OrderedDict(
            (number, known) for number, known in self._hashes.items() if number <= ancestor.number
        )
        self.position = ancestor
        self._submit(BlocksReverted(ancestor.number))

    async def _ancestor(self) -> Position | None:
        """Find the newest remembered block that is still on the chain; None while none of those after it is gone.

        Only another block in its place proves that one is gone: a node that lags does not know the newest ones.
        """
        numbers = sorted(self._hashes, reverse=True)
        replaced = False
        for number, block in zip(numbers, await self._hub.blocks(numbers), strict=True):
            if block is None:
                continue
            if to_hex(block.hash) == self._hashes[number]:
                return Position(number, self._hashes[number]) if replaced else None
            replaced = True
        # Deeper than is remembered, or after a restart, when only the cursor is known. Effects are idempotent, so
        # reading more again is harmless.
        return Position(max(self.position.number - REORGANISATION_BLOCKS, -1), "") if replaced else None
