"""The chain follower: reads blocks and submits the deals and task events of this pool to the scheduler.

Each poll costs one search for logs, from the followed position to the head, whatever the number of blocks between. An
idle pool polls once in two seconds, except for a head whose Bloom filter admits events of the hub. The cursor is stored
after every effect of a block, which makes a replay harmless. A reorganisation is submitted as one `BlocksReverted`
followed by the blocks of the new branch.

Providers balance over nodes, some of which lag, so an answer may lack logs. Three mechanisms find them: the Bloom
filter of a header, a second search of every block ten seconds later, and the distance that long searches keep from the
head.
"""

import asyncio
import math
import time
from collections.abc import Callable, Container, Sequence

from workerpool_kit.logs import get_logger
from workerpool_kit.retry import retry
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.contracts.events import HubEvent, SchedulerNotice
from workerpool_poco.protocol.ids import Address, TaskId, to_hex
from workerpool_poco.protocol.model import Block, reorganisation_blocks

from workerpool_core.app.chain.deals import DealReader
from workerpool_core.app.chain.followed_blocks import FollowedBlocks
from workerpool_core.app.chain.log_search import LogSearch
from workerpool_core.app.chain.noticed_deals import BACKOFF, NoticedDeals, Reorganised
from workerpool_core.app.chain.second_search import AGE_S, SecondSearch
from workerpool_core.app.chain.task_events import FOLLOWED, task_log
from workerpool_core.app.ports import BlockReader, BlockSink, Cursor, HeadSource
from workerpool_core.domain.events import BlockSeen, BlocksReverted, DealSeen, ReconcileDue, TaskLog

log = get_logger()

_DISTANCE = 16
"""Least number of blocks at the head that long searches omit: the answering node may not have them yet."""
_NEAR = 4
"""Distances up to which one search reaches the head."""
_LARGEST_RANGE = 1_000
_BUSY_PERIOD_S, _IDLE_PERIOD_S = 0.25, 2.0
"""Least seconds between two polls, unless the head announces events of the hub."""
_LONGEST_PAUSE_S = 60.0


class ChainFollower:
    """The reader of one hub's events for one pool; `submit` receives the events.

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
        block_time_s: float = 1.0,
        busy: Callable[[], bool] = lambda: True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create a stopped follower.

        A stored `position` takes precedence over `start_block`. `latest_deal_block` is the newest one of earlier runs.
        `block_time_s` is the time between blocks in seconds. `busy` returns whether a task waits for blocks.
        `monotonic` returns seconds.
        """
        self._blocks = blocks
        self._heads = heads
        self._deals = NoticedDeals(blocks, deals)
        self._pool = pool
        self._submit = submit
        self._known = known
        self._confirmations = confirmations
        self._logs = LogSearch(blocks, largest_range)
        self._busy = busy
        self._monotonic = monotonic
        # Before the first block there is no hash to compare with.
        self._depth = reorganisation_blocks(block_time_s)
        self._followed = FollowedBlocks(position or Cursor(start_block - 1, ""), self._depth)
        self._distance = max(_DISTANCE, math.ceil(AGE_S / block_time_s))
        # A stop may have prevented the second search of the newest blocks.
        missing = self._distance if self.position.hash else 0
        searched = Cursor(max(self.position.number - missing, -1), "")
        self._second = SecondSearch(searched, self.position, monotonic)
        self._position_time = 0
        self._warned_at: int | None = None
        self.deals_seen = 0
        self.latest_deal_block = latest_deal_block

    @property
    def position(self) -> Cursor:
        """The last block whose events were all submitted."""
        return self._followed.position

    async def run(self) -> None:
        """Follow the chain until cancelled; wait while the node is down."""
        log.info("follower.started", block=self.position.number, hash=self.position.hash)
        while True:
            head = self._heads.latest
            polled_at = self._monotonic() if head is not None else -math.inf
            if head is not None:
                await retry(
                    lambda head=head: self._follow(head),  # type: ignore[misc]
                    what="follow the chain",
                    on=PocoError,
                    backoff=BACKOFF,
                )
            await self._pause(polled_at, head)

    async def _pause(self, polled_at: float, seen: Block | None) -> None:
        """Wait until the next poll; blocks without events of the hub do not shorten the polling period."""
        while True:
            head = self._heads.latest
            waits = _LONGEST_PAUSE_S
            if head is not None and head != seen:
                if self._blocks.may_hold(head, FOLLOWED):
                    return
                waits = polled_at + (_BUSY_PERIOD_S if self._busy() else _IDLE_PERIOD_S) - self._monotonic()
            due_in = self._second.due_in()
            waits = waits if due_in is None else min(waits, due_in)
            if waits <= 0:
                return
            await self._heads.wait_change(waits)

    async def _follow(self, head: Block) -> None:
        """Advance to the newest confirmed block, also of heads that arrive meanwhile."""
        while True:
            head = self._heads.latest or head
            target = head.number - self._confirmations
            position = self.position.number
            try:
                if target < position or (target == position and self._is_other_head(target, head)):
                    await self._check_shorter_chain(head)
                if (due := self._second.due()).number > self._second.searched.number:
                    await self._search_again(due)
                position = self.position.number
                if target <= position:
                    return
                if target - position > _NEAR * self._distance:
                    await self._follow_range(min(target, head.number - self._distance))
                elif target - position == 1 and target == head.number:
                    await self._follow_head(head)
                else:
                    await self._follow_several(head, target)
            except Reorganised:
                await self._revert()

    # --- near the head ----------------------------------------------------------------------

    async def _follow_head(self, head: Block) -> None:
        """Follow one new block with a known header; select its logs by its hash."""
        if not self._followed.is_child(head):
            raise Reorganised
        events = await self._logs.of_block(head)
        await self._pass_on(head, events)
        self._second.followed(self.position, events)

    async def _follow_several(self, head: Block, target: int) -> None:
        """Follow several blocks with one search. Submit only blocks with relevant events, and the last one."""
        position = self.position.number
        target = min(target, position + self._logs.blocks)
        headers = self._headers_before(target) if self._busy() else []
        answer = await self._logs.search(position + 1, target, headers)
        if answer is None:
            return
        new, before = answer
        known = self._linked(before, head)
        if new and not headers:
            # Revert a replaced position before submitting a block of the new branch.
            await self._check_position()
        for block in known.values():
            found = [event for event in new if event.position.block_number == block.number]
            if not found and block.number <= target and self._blocks.may_hold(block, FOLLOWED):
                new += await self._logs.announced(block)
        await self._pass_on_range(new, target, known)
        self._second.followed(self.position, new)

    def _headers_before(self, target: int) -> list[int]:
        """Return the blocks up to a head whose headers a busy poll reads: all, except most of a long gap."""
        first = self.position.number + 1
        return [number for number in range(first, target) if number == first or number > target - _DISTANCE]

    def _linked(self, before: Sequence[Block | None], head: Block) -> dict[int, Block]:
        """Return headers by number. Raises Reorganised if they do not extend the position, or the node lags."""
        known = {head.number: head}
        for block in before:
            if block is None:
                raise Reorganised
            known[block.number] = block
        after = known.get(self.position.number + 1)
        if after is not None and not self._followed.is_child(after):
            raise Reorganised
        for block in known.values():
            child = known.get(block.number + 1)
            if child is not None and child.parent_hash != block.hash:
                raise Reorganised
        return known

    async def _search_again(self, due: Cursor) -> None:
        """Search the followed blocks up to `due` again, and submit the events that the first search missed.

        This also detects a reorganisation that no poll noticed, because an idle pool reads few headers.
        """
        anchor, blocks = self._second.searched, self._logs.blocks
        last = due if due.number - anchor.number <= blocks else Cursor(anchor.number + blocks, "")
        answer = await self._logs.search(
            anchor.number + 1, last.number, [anchor.number] if anchor.hash else []
        )
        if answer is None:
            return
        events, found_anchor = answer
        for block in found_anchor:
            self._check_hash(anchor, block)
        missed, gone = self._second.missed(events), self._second.gone(events, last.number)
        if missed or gone:
            await self._check_blocks(gone)
            await self._check_position()
        if relevant := [event for event in missed if self._is_relevant(event)]:
            log.info("follower.logs_found_late", events=len(relevant), last=last.number)
            await self._submit_late(relevant)
        self._second.searched_to(last)

    async def _check_blocks(self, events: Sequence[HubEvent]) -> None:
        """Check that the blocks of events are still on the chain. Raises Reorganised."""
        known = {
            e.position.block_number: Cursor(e.position.block_number, to_hex(e.position.block_hash))
            for e in events
        }
        for number, block in zip(known, await self._blocks.blocks(list(known)), strict=True):
            self._check_hash(known[number], block)

    def _check_hash(self, known: Cursor, block: Block | None) -> None:
        """Check that a followed block is still on the chain. Raises Reorganised, also when the node lags."""
        if block is None:
            raise Reorganised
        if to_hex(block.hash) != known.hash:
            # Later followed blocks may already be of the new branch.
            self._followed.revert_to(known)
            raise Reorganised

    async def _submit_late(self, events: Sequence[HubEvent]) -> None:
        """Submit deals at the unchanged position, and make the scheduler read its tasks instead of old logs."""
        deals, count = await self._read_deals(events)
        position = self.position
        if deals:
            self._submit(BlockSeen(position.number, position.hash, float(self._position_time), tuple(deals)))
        if deals or count < len(events):
            self._submit(ReconcileDue())

    # --- catching up ------------------------------------------------------------------------

    async def _follow_range(self, target: int) -> None:
        """Read the logs of many blocks at once. Submit only blocks with relevant events, and the last one."""
        await self._check_position()
        if self._second.searched.number < self.position.number:
            await self._search_again(self.position)
            return
        first = self.position.number + 1
        last = min(first + self._logs.blocks - 1, target)
        answer = await self._logs.search(first, last)
        if answer is None:
            return
        events, _ = answer
        await self._pass_on_range(events, last, {})
        self._second.searched_to(self.position)
        log.info("follower.caught_up", block=last, target=target)

    async def _pass_on_range(self, events: list[HubEvent], last: int, known: dict[int, Block]) -> None:
        """Submit the blocks with relevant events, and the last one. Raises Reorganised."""
        by_block: dict[int, list[HubEvent]] = {}
        for event in events:
            by_block.setdefault(event.position.block_number, []).append(event)
        # The tasks of a deal in this range are not known yet, so with a deal every task event is relevant.
        has_deal = any(self._is_own_deal(event) for event in events)
        relevant = {e.position.block_number for e in events if has_deal or self._is_relevant(e)}
        numbers = sorted({*relevant, last})
        unknown = [number for number in numbers if number not in known]
        read = dict(zip(unknown, await self._blocks.blocks(unknown), strict=True)) if unknown else {}
        for number in numbers:
            block, found = known.get(number) or read[number], by_block.get(number, [])
            if block is None or any(event.position.block_hash != block.hash for event in found):
                raise Reorganised
            await self._pass_on(block, found)

    def _is_own_deal(self, event: HubEvent) -> bool:
        return isinstance(event, SchedulerNotice) and event.workerpool == self._pool

    def _is_relevant(self, event: HubEvent) -> bool:
        event_log = task_log(event)
        return self._is_own_deal(event) or (event_log is not None and event_log.task_id in self._known)

    async def _check_position(self) -> None:
        if self.position.hash and not self._followed.is_position(
            await self._blocks.block(self.position.number)
        ):
            raise Reorganised

    # --- submitting -------------------------------------------------------------------------

    async def _pass_on(self, block: Block, events: Sequence[HubEvent]) -> None:
        """Submit a block with its deals and task events, and advance the position."""
        deals, count = await self._read_deals(events)
        logs = self._task_logs(events, deals)
        seen = BlockSeen(block.number, to_hex(block.hash), float(block.timestamp), tuple(deals), tuple(logs))
        self._submit(seen)
        self.deals_seen += count
        self._followed.advance(block.number, seen.hash)
        self._position_time = block.timestamp

    async def _read_deals(self, events: Sequence[HubEvent]) -> tuple[list[DealSeen], int]:
        """Return the deals of this pool's notices, and the number of notices. Raises Reorganised."""
        notices = [
            event for event in events if isinstance(event, SchedulerNotice) and self._is_own_deal(event)
        ]
        deals = await self._deals.read(notices)
        newest = max((notice.position.block_number for notice in notices), default=0)
        self.latest_deal_block = max(self.latest_deal_block, newest)
        return deals, len(notices)

    def _task_logs(self, events: Sequence[HubEvent], deals: Sequence[DealSeen]) -> list[TaskLog]:
        """Return the events of live tasks; with new deals all events, because their tasks are not known yet."""
        found = [event_log for event in events if (event_log := task_log(event)) is not None]
        return found if deals else [event_log for event_log in found if event_log.task_id in self._known]

    # --- reorganisations --------------------------------------------------------------------

    def _is_other_head(self, number: int, head: Block) -> bool:
        return head.number == number and self._followed.was_replaced_by(head)

    async def _check_shorter_chain(self, head: Block) -> None:
        """Return for a node that lags; raise Reorganised for a chain that became shorter or different."""
        position = self.position
        if self._followed.was_replaced_by(head):
            raise Reorganised
        if head.number == position.number:
            return
        block = await self._blocks.block(position.number)
        if block is not None and not self._followed.is_position(block):
            raise Reorganised
        if position.number - head.number > self._depth and self._warned_at != position.number:
            # The node serves another chain than the database holds, has lost data, or the start block is far ahead.
            self._warned_at = position.number
            log.warning("follower.node_fell_behind", next_block=position.number + 1, head=head.number)

    async def _revert(self) -> None:
        """Move back to the newest followed block that is still on the chain."""
        ancestor = await retry(
            lambda: self._followed.find_ancestor(self._blocks),
            what="find the common ancestor",
            on=PocoError,
            backoff=BACKOFF,
        )
        if ancestor is None:
            # The chain changed during a read above the position, or a node lags; everything submitted is still valid.
            await asyncio.sleep(BACKOFF.first_s)
            return
        reverted = self.position.number - ancestor.number
        log.warning("follower.reorganised", ancestor=ancestor.number, reverted=reverted)
        self._followed.revert_to(ancestor)
        self._second.reverted(ancestor)
        self._submit(BlocksReverted(ancestor.number))
