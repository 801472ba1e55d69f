"""Follows the chain block by block and submits to the scheduler what concerns this pool.

The node pushes new heads; nothing polls between a block and its effects. The cursor is stored after every effect of a
block, which makes a replay harmless. Parent hashes are checked, and a reorganisation is submitted as one
`BlocksReverted` followed by the surviving blocks.
"""

import asyncio
from collections.abc import Container, Sequence

from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff, retry
from workerpool_poco.errors import ChainUnreachable, LogRangeTooLarge, PocoError, RpcError
from workerpool_poco.protocol.contracts.events import HubEvent, SchedulerNotice
from workerpool_poco.protocol.ids import Address, TaskId, task_id_of, to_hex
from workerpool_poco.protocol.model import REORGANISATION_BLOCKS, Block

from workerpool_core.app.chain.deals import DealReader
from workerpool_core.app.chain.followed_blocks import FollowedBlocks
from workerpool_core.app.chain.noticed_deals import BACKOFF, NoticedDeals, Reorganised
from workerpool_core.app.chain.task_events import FOLLOWED, task_log
from workerpool_core.app.ports import BlockReader, BlockSink, Cursor, HeadSource
from workerpool_core.domain.events import BlockSeen, BlocksReverted, DealSeen, TaskLog

log = get_logger()

_BLOCK_BY_BLOCK = 16
"""Distance from the head up to which blocks are read one by one; further behind, logs are read in ranges.

A range omits the blocks that the asked node does not have yet, although another node of the provider has them.
"""
_LARGEST_RANGE = 1_000
_GROW_AFTER = 8
"""Consecutive answered ranges after which a larger one is tried."""
_LOG_ATTEMPTS = 8
"""Attempts to read a block's logs while its header announces some and the node has none (about 6 s)."""
_LOG_BACKOFF = Backoff(first_s=0.2, longest_s=1.0, jitter=0.0)


class ChainFollower:
    """Reads the events of one hub for one pool. `run` follows until cancelled; `submit` receives the events.

    `known` contains the live tasks, so that events of other pools' tasks are ignored.
    """

    def __init__(
        self,
        blocks: BlockReader,
        heads: HeadSource,
        deals: DealReader,
        pool: Address,
        submit: BlockSink,
        *,
        known: Container[TaskId],
        confirmations: int = 0,
        start_block: int = 0,
        position: Cursor | None = None,
        largest_range: int = _LARGEST_RANGE,
        latest_deal_block: int = 0,
    ) -> None:
        """Create a stopped follower.

        A stored `position` takes precedence over `start_block`. `latest_deal_block` is the newest one of earlier runs.
        """
        self._blocks = blocks
        self._heads = heads
        self._deals = NoticedDeals(blocks, deals)
        self._pool = pool
        self._submit = submit
        self._known = known
        self._confirmations = confirmations
        self._range = self._largest_range = largest_range
        self._answered_ranges = 0
        # Before the first block there is no hash to compare with.
        self._followed = FollowedBlocks(position or Cursor(start_block - 1, ""))
        self._warned_at: int | None = None
        self.deals_seen = 0
        self.latest_deal_block = latest_deal_block

    @property
    def position(self) -> Cursor:
        """The last block that was followed to its end."""
        return self._followed.position

    async def run(self) -> None:
        """Follow the chain until cancelled; wait while the node is down."""
        log.info("follower.started", block=self.position.number, hash=self.position.hash)
        async for head in self._heads:
            await retry(
                lambda head=head: self._follow(head),  # type: ignore[misc]
                what="follow the chain",
                on=PocoError,
                backoff=BACKOFF,
            )

    async def _follow(self, head: Block) -> None:
        """Advance to the newest confirmed block. More heads may arrive meanwhile, so the newest one counts."""
        while True:
            head = self._heads.latest or head
            target = head.number - self._confirmations
            position = self.position.number
            try:
                if target < position or (target == position and self._is_other_head(target, head)):
                    await self._check_shorter_chain(head)
                position = self.position.number
                if target <= position:
                    return
                if target - position <= _BLOCK_BY_BLOCK:
                    await self._follow_blocks(head, target)
                else:
                    await self._follow_range(min(target, head.number - _BLOCK_BY_BLOCK))
            except Reorganised:
                await self._revert()

    # --- near the head ----------------------------------------------------------------------

    async def _follow_blocks(self, head: Block, target: int) -> None:
        numbers = range(self.position.number + 1, target + 1)
        # The usual case is one new block, whose header the node has just pushed.
        known = [head] if len(numbers) == 1 and head.number == target else await self._blocks.blocks(numbers)
        for block in known:
            if block is None or not self._followed.is_child(block):
                raise Reorganised
            await self._pass_on(block, await self._logs_of(block))

    async def _logs_of(self, block: Block) -> list[HubEvent]:
        """Read the events of a block.

        A node may announce a block before it has its logs; the Bloom filter of the header then admits events that the
        node does not return. Logs of other contracts can set the same bits, which reading all logs of the block shows.
        """
        events = await self._blocks.get_block_logs(block.hash, kinds=FOLLOWED)
        if events or not self._blocks.may_hold(block, FOLLOWED):
            return events
        pauses = _LOG_BACKOFF.steps()
        for _ in range(_LOG_ATTEMPTS):
            found = await self._blocks.sift_block_logs(block.hash, kinds=FOLLOWED)
            if found is not None:
                return found
            log.info("follower.logs_missing", block=block.number)
            await pauses.sleep()
        return []

    # --- catching up ------------------------------------------------------------------------

    async def _follow_range(self, target: int) -> None:
        """Read the logs of many blocks at once. Submit only blocks with relevant events, and the last one."""
        await self._check_position()
        first = self.position.number + 1
        last = min(first + self._range - 1, target)
        try:
            events = await self._blocks.get_logs(first, last, kinds=FOLLOWED)
        except (LogRangeTooLarge, RpcError, ChainUnreachable) as error:
            # Nodes refuse a range with many different errors, some only by a timeout.
            if self._range == 1:
                raise
            self._range = max(self._range // 2, 1)
            self._answered_ranges = 0
            log.info("follower.range_reduced", blocks=self._range, error=str(error))
            return
        self._answered_ranges += 1
        if self._answered_ranges % _GROW_AFTER == 0:
            self._range = min(self._range * 2, self._largest_range)
        by_block: dict[int, list[HubEvent]] = {}
        for event in events:
            by_block.setdefault(event.position.block_number, []).append(event)
        numbers = sorted({*(number for number in by_block if self._is_relevant(by_block[number])), last})
        for number, block in zip(numbers, await self._blocks.blocks(numbers), strict=True):
            found = by_block.get(number, [])
            if block is None or any(event.position.block_hash != block.hash for event in found):
                raise Reorganised
            await self._pass_on(block, found)
        log.info("follower.caught_up", block=last, target=target)

    def _is_relevant(self, events: list[HubEvent]) -> bool:
        # A task of a deal in the same range is not known yet, so every task event counts.
        return any(
            not isinstance(event, SchedulerNotice) or event.workerpool == self._pool for event in events
        )

    async def _check_position(self) -> None:
        if self.position.hash and not self._followed.is_position(
            await self._blocks.block(self.position.number)
        ):
            raise Reorganised

    # --- submitting -------------------------------------------------------------------------

    async def _pass_on(self, block: Block, events: Sequence[HubEvent]) -> None:
        """Submit a block with its deals and task events, and advance the position."""
        notices = [
            event for event in events if isinstance(event, SchedulerNotice) and event.workerpool == self._pool
        ]
        deals = await self._deals.read(notices)
        logs = self._task_logs(events, deals)
        seen = BlockSeen(block.number, to_hex(block.hash), float(block.timestamp), tuple(deals), tuple(logs))
        self._submit(seen)
        if notices:
            self.deals_seen += len(notices)
            self.latest_deal_block = max(self.latest_deal_block, block.number)
        self._followed.advance(block.number, seen.hash)

    def _task_logs(self, events: Sequence[HubEvent], deals: Sequence[DealSeen]) -> list[TaskLog]:
        """Return the events about live tasks and about the tasks of new deals."""
        new = {
            task_id_of(deal.terms.deal_id, deal.terms.bot_first + offset)
            for deal in deals
            for offset in range(deal.terms.bot_size)
        }
        found = [event_log for event in events if (event_log := task_log(event)) is not None]
        return [
            event_log for event_log in found if event_log.task_id in self._known or event_log.task_id in new
        ]

    # --- reorganisations --------------------------------------------------------------------

    def _is_other_head(self, number: int, head: Block) -> bool:
        return head.number == number and self._followed.was_replaced_by(head)

    async def _check_shorter_chain(self, head: Block) -> None:
        """Tell a node that lags behind (wait) from a chain that became shorter or different (raise Reorganised)."""
        position = self.position
        if self._followed.was_replaced_by(head):
            raise Reorganised
        if head.number == position.number:
            return
        block = await self._blocks.block(position.number)
        if block is not None and not self._followed.is_position(block):
            raise Reorganised
        if position.number - head.number > REORGANISATION_BLOCKS and self._warned_at != position.number:
            # The node serves another chain than the database's, has lost data, or the start block is far ahead.
            self._warned_at = position.number
            log.warning("follower.ahead_of_node", next_block=position.number + 1, head=head.number)

    async def _revert(self) -> None:
        """Move back to the newest followed block that is still on the chain."""
        ancestor = await retry(
            lambda: self._followed.find_ancestor(self._blocks),
            what="find the common ancestor",
            on=PocoError,
            backoff=BACKOFF,
        )
        if ancestor is None:
            # The chain changed under a read above the position, or a node lags: everything submitted is still right.
            await asyncio.sleep(BACKOFF.first_s)
            return
        reverted = self.position.number - ancestor.number
        log.warning("follower.reorganised", ancestor=ancestor.number, reverted=reverted)
        self._followed.revert_to(ancestor)
        self._submit(BlocksReverted(ancestor.number))
