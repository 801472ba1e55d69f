"""The follower on a real chain submits every block once, in order, across reorganisations and outages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from patience import PATIENCE_S
from structlog.testing import capture_logs
from workerpool_core.app.chain.chain_follower import ChainFollower
from workerpool_core.app.chain.deals import DealNotVisible, DealReader
from workerpool_core.app.ports import Cursor
from workerpool_core.domain.events import BlockSeen, BlocksReverted, ReconcileDue, TaskLogKind
from workerpool_core.domain.model import DealTerms
from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.market.trading import Deal, Purchase
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import LogRangeTooLarge
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import DealId, TaskId, task_id_of, to_hex
from workerpool_poco.protocol.model import Block


class Followed:
    """A follower of one pool, and the events it submitted."""

    def __init__(self, chain: PocoChain, pool: str) -> None:
        self.chain, self.pool = chain, pool
        self.told: list[BlockSeen | BlocksReverted | ReconcileDue] = []
        self.known: dict[TaskId, None] = {}
        self.hub = HubClient(chain.url, chain.hub)
        self.heads = HeadStream(chain.url, block_time=0.1)
        self.deals = DealReader(self.hub, pool)
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.follower: ChainFollower

    async def start(self, **options: Any) -> "Followed":
        """Start at a cursor or a start block."""
        await self.hub.connect()
        self.heads.start()
        self.follower = ChainFollower(
            self.hub, self.heads, self.deals, self.pool, self._submit, known=self.known, **options
        )
        self._task = asyncio.create_task(self.follower.run())
        return self

    async def stop(self) -> None:
        """Stop following, as a crash does."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.heads.stop()
        await self.hub.close()

    def _submit(self, event: BlockSeen | BlocksReverted | ReconcileDue) -> None:
        self.told.append(event)
        if isinstance(event, BlockSeen):
            for deal in event.deals:
                self.known.update(dict.fromkeys(_task_ids(deal.terms)))
        self._more.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the submitted events fulfil a condition."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._more.clear()
                await self._more.wait()

    async def caught_up(self) -> None:
        """Wait until the current head was submitted."""
        head = await self.hub.block_number()
        await self.until(lambda: self.follower.position.number >= head)

    @property
    def blocks(self) -> list[BlockSeen]:
        return [event for event in self.told if isinstance(event, BlockSeen)]

    @property
    def deal_ids(self) -> list[str]:
        return [deal.terms.deal_id for block in self.blocks for deal in block.deals]

    def surviving(self) -> dict[int, str]:
        """Return the hash of each submitted block that was not reverted."""
        chain: dict[int, str] = {}
        for event in self.told:
            if isinstance(event, BlockSeen):
                chain[event.number] = event.hash
            elif isinstance(event, BlocksReverted):
                chain = {number: seen for number, seen in chain.items() if number <= event.ancestor}
        return chain


def _task_ids(terms: DealTerms) -> list[TaskId]:

    return [task_id_of(terms.deal_id, terms.bot_first + offset) for offset in range(terms.bot_size)]


class Pool:
    """A pool and an app on the chain, whose deals the test buys."""

    def __init__(self, chain: PocoChain, name: str) -> None:
        self.chain = chain
        self.owner = chain.account("poolOwner")
        self.requester = chain.account("requester")
        self.address = chain.market.create_workerpool(self.owner, name)
        self.app = chain.market.create_app(self.requester, name, "image:1")

    def buy(self, **wanted: Any) -> Deal:
        (deal,) = self.chain.market.buy(
            Purchase(
                requester=self.requester,
                app=self.app,
                app_owner=self.requester,
                workerpool=self.address,
                pool_owner=self.owner,
                **wanted,
            )
        )
        return deal

    def initialize(self, deal: Deal) -> None:
        outbox = Outbox(self.chain.chain.rpc)
        data = calls.initialize(deal.deal_id, 0).data
        outbox.call(self.owner, "initialize", self.chain.hub, data, gas=1_000_000)
        outbox.flush()


@pytest.fixture
def pool(fresh_poco_chain: PocoChain) -> Pool:
    return Pool(fresh_poco_chain, "followed")


@pytest.fixture
async def followed(fresh_poco_chain: PocoChain, pool: Pool) -> AsyncIterator[Followed]:
    followed = Followed(fresh_poco_chain, pool.address)
    yield followed
    await followed.stop()


async def test_a_new_deal_is_submitted_with_its_terms(followed: Followed, pool: Pool) -> None:
    await followed.start(start_block=0)
    await followed.caught_up()
    params = DealParams(args="work", input_files=("http://host/a", "http://host/b"))
    deal = await asyncio.to_thread(pool.buy, volume=3, trust=5, params=params, workerpool_price=1000)
    await followed.until(lambda: bool(followed.deal_ids))
    (terms,) = [seen.terms for block in followed.blocks for seen in block.deals]
    assert terms.deal_id == deal.deal_id
    assert (terms.block, terms.bot_first, terms.bot_size, terms.trust) == (deal.block_number, 0, 3, 5)
    assert (terms.command_line, terms.input_files) == ("work", params.input_files)
    assert terms.app_uri == "image:1"
    assert terms.requester == pool.requester.address
    assert terms.max_execution_s == 300
    assert terms.contribution_deadline - terms.start_time == 7 * 300
    assert terms.final_deadline - terms.start_time == 10 * 300
    assert terms.worker_stake > 0


async def test_a_deal_from_before_the_start_is_found_by_catching_up(followed: Followed, pool: Pool) -> None:
    deal = await asyncio.to_thread(pool.buy)
    await asyncio.to_thread(pool.chain.chain.mine, 100)
    await followed.start(start_block=0, largest_range=7)
    await followed.caught_up()
    assert followed.deal_ids == [deal.deal_id]
    numbers = [block.number for block in followed.blocks]
    assert numbers == sorted(set(numbers))


async def test_s05_a_deal_before_the_start_block_is_ignored(followed: Followed, pool: Pool) -> None:
    deal = await asyncio.to_thread(pool.buy)
    await followed.start(start_block=deal.block_number + 1)
    await followed.caught_up()
    assert followed.deal_ids == []


async def test_s05_a_start_block_far_ahead_is_logged_once(followed: Followed, pool: Pool) -> None:
    """Without the log line an operator cannot see why no deal arrives."""
    with capture_logs() as lines:
        await followed.start(start_block=10**9)
        seen = [head async for head in limited(followed.heads, 4, pool)]
    warned = [line for line in lines if line["event"] == "follower.node_fell_behind"]
    assert [line["next_block"] for line in warned] == [10**9]
    assert len(seen) == 4


async def limited(heads: HeadStream, count: int, pool: Pool) -> AsyncIterator[Block]:
    """Yield heads, and make the next one each time."""
    async for head in heads:
        yield head
        count -= 1
        if not count:
            return
        await asyncio.to_thread(pool.chain.chain.mine)


async def test_s05_a_stored_cursor_overrides_the_start_block(followed: Followed, pool: Pool) -> None:
    deal = await asyncio.to_thread(pool.buy)
    await followed.hub.connect()
    before = await followed.hub.block(deal.block_number - 1)
    assert before is not None
    await followed.start(start_block=10**9, position=Cursor(before.number, to_hex(before.hash)))
    await followed.caught_up()
    assert followed.deal_ids == [deal.deal_id]


async def test_a_deal_of_another_pool_is_ignored(
    followed: Followed, pool: Pool, fresh_poco_chain: PocoChain
) -> None:
    other = await asyncio.to_thread(Pool, fresh_poco_chain, "other")
    await followed.start(start_block=0)
    await followed.caught_up()
    foreign = await asyncio.to_thread(other.buy)
    await asyncio.to_thread(other.initialize, foreign)
    await followed.caught_up()
    assert followed.deal_ids == []
    assert [log for block in followed.blocks for log in block.logs] == []


async def test_events_of_own_tasks_are_submitted_with_their_receipt(followed: Followed, pool: Pool) -> None:
    await followed.start(start_block=0)
    deal = await asyncio.to_thread(pool.buy)
    await asyncio.to_thread(pool.initialize, deal)
    await followed.until(lambda: any(block.logs for block in followed.blocks))
    (block,) = [block for block in followed.blocks if block.logs]
    (log,) = block.logs
    assert log.kind is TaskLogKind.INITIALIZE
    assert log.task_id == deal.task_ids[0]
    assert log.receipt.block == block.number
    assert len(log.receipt.transaction) == 66


async def test_events_of_tasks_created_in_the_same_range_are_submitted(
    followed: Followed, pool: Pool
) -> None:
    deal = await asyncio.to_thread(pool.buy)
    await asyncio.to_thread(pool.initialize, deal)
    await asyncio.to_thread(pool.chain.chain.mine, 50)
    await followed.start(start_block=0)
    await followed.caught_up()
    assert [log.kind for block in followed.blocks for log in block.logs] == [TaskLogKind.INITIALIZE]


async def test_confirmations_hold_blocks_back(followed: Followed, pool: Pool) -> None:
    await followed.start(start_block=0, confirmations=5)
    deal = await asyncio.to_thread(pool.buy)
    await asyncio.to_thread(pool.chain.chain.mine, 4)
    await asyncio.to_thread(pool.chain.chain.mine, 6)
    await followed.until(lambda: bool(followed.deal_ids))
    head = await followed.hub.block_number()
    assert followed.follower.position.number <= head - 5
    assert followed.deal_ids == [deal.deal_id]


@pytest.mark.parametrize("depth", [1, 10, 62])
async def test_a_replaced_branch_is_reverted_and_the_new_one_submitted(
    followed: Followed, pool: Pool, depth: int
) -> None:
    chain = pool.chain.chain
    await asyncio.to_thread(chain.mine, 110)
    await followed.start(start_block=0)
    await followed.caught_up()
    snapshot = await asyncio.to_thread(chain.snapshot)
    lost = await asyncio.to_thread(pool.buy)
    await asyncio.to_thread(chain.mine, depth)
    await followed.caught_up()
    assert lost.deal_id in followed.deal_ids
    await asyncio.to_thread(chain.revert, snapshot)
    kept = await asyncio.to_thread(pool.buy)
    await asyncio.to_thread(chain.mine, depth + 2)
    await followed.until(lambda: kept.deal_id in followed.deal_ids)
    await followed.caught_up()
    reverted = [event for event in followed.told if isinstance(event, BlocksReverted)]
    assert reverted
    assert all(event.ancestor < lost.block_number for event in reverted[:1])
    await _matches_the_chain(followed)


async def test_a_cursor_reorganised_away_while_core_was_down_is_reverted(
    followed: Followed, pool: Pool
) -> None:
    deal = await asyncio.to_thread(pool.buy)
    await asyncio.to_thread(pool.chain.chain.mine, 3)
    await followed.start(start_block=0, position=Cursor(deal.block_number + 2, "0x" + "11" * 32))
    await followed.until(lambda: bool(followed.deal_ids))
    assert isinstance(followed.told[0], BlocksReverted)
    await followed.caught_up()
    await _matches_the_chain(followed)


async def test_s04_an_unreadable_deal_holds_the_cursor(followed: Followed, pool: Pool) -> None:
    class Unreadable(DealReader):
        failures = 3

        async def read(self, deal_id: DealId, block: int) -> DealTerms:
            if self.failures:
                self.failures -= 1
                raise DealNotVisible("the node lags")
            return await super().read(deal_id, block)

    followed.deals = Unreadable(followed.hub, pool.address)
    await followed.start(start_block=0)
    await followed.caught_up()
    deal = await asyncio.to_thread(pool.buy)
    await followed.until(lambda: bool(followed.deal_ids))
    assert followed.deal_ids == [deal.deal_id]
    numbers = [block.number for block in followed.blocks]
    assert numbers == sorted(set(numbers))
    assert (followed.follower.deals_seen, followed.follower.latest_deal_block) == (1, deal.block_number)


async def test_the_range_is_reduced_to_the_limit_of_the_node(followed: Followed, pool: Pool) -> None:
    deal = await asyncio.to_thread(pool.buy)
    await asyncio.to_thread(pool.chain.chain.mine, 60)
    plain = followed.hub.get_logs

    async def limited(first: int, last: int, **options: Any) -> Any:
        if last - first >= 10:
            raise LogRangeTooLarge("at most 10 blocks")
        return await plain(first, last, **options)

    followed.hub.get_logs = limited  # type: ignore[method-assign, assignment]
    await followed.start(start_block=0)
    await followed.caught_up()
    assert followed.deal_ids == [deal.deal_id]


async def _matches_the_chain(followed: Followed) -> None:
    """Check that every surviving block is on the chain and that each deal was last submitted from its block."""
    told = followed.surviving()
    on_chain = await followed.hub.blocks(sorted(told))
    assert [to_hex(block.hash) for block in on_chain if block is not None] == [
        told[number] for number in sorted(told)
    ]
