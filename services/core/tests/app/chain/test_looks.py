"""The follower over modelled nodes that lag, omit logs and reorganise: no deal is lost, and looks cost few calls."""

import asyncio
from collections.abc import Collection
from random import Random
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_core.app.chain.chain_follower import ChainFollower
from workerpool_core.app.chain.noticed_deals import BACKOFF
from workerpool_core.app.ports import Cursor
from workerpool_core.domain.events import BlockSeen, BlocksReverted, ReconcileDue
from workerpool_kit.retry import retry
from workerpool_poco.protocol.contracts.events import HubEvent
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.model import Block

from services.core.tests.doubles.modelled_nodes import OTHER, POOL, Chain, Deals, Heads, Node


class Pool:
    """A follower over a node, with the deals that survive its reverts."""

    def __init__(self, node: Node, **options: Any) -> None:
        self.node, self.heads = node, Heads()
        self.deals: dict[int, dict[str, None]] = {}
        self.reverts = 0
        self.now = 0.0
        self.is_busy = True
        reader: Any = node
        deals: Any = Deals()
        self.follower = ChainFollower(
            reader,
            self.heads,
            deals,
            POOL,
            self._submit,
            known={},
            block_time_s=0.25,
            busy=lambda: self.is_busy,
            monotonic=lambda: self.now,
            **options,
        )

    def _submit(self, event: BlockSeen | BlocksReverted | ReconcileDue) -> None:
        if isinstance(event, BlocksReverted):
            self.reverts += 1
            self.deals = {number: found for number, found in self.deals.items() if number <= event.ancestor}
        elif isinstance(event, BlockSeen):
            for deal in event.deals:
                self.deals.setdefault(deal.terms.block, {})[deal.terms.deal_id] = None

    @property
    def deal_ids(self) -> list[str]:
        return [deal for number in sorted(self.deals) for deal in self.deals[number]]

    async def follow(self) -> None:
        """Follow to the present head."""
        head = self.node.chain.blocks[-1]
        self.heads.show(head)
        await retry(
            lambda: self.follower._follow(head),
            what="follow",
            on=Exception,
            backoff=BACKOFF,
        )

    async def settle(self) -> None:
        """Let time pass without blocks until every block was searched twice."""
        while self.follower._second.due_in() is not None:
            self.now += 1
            await self.follow()


@pytest.fixture(autouse=True)
def prompt_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every pause be one turn of the event loop."""
    turn = asyncio.sleep

    async def sleep(_seconds: float) -> None:
        await turn(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)


@pytest.mark.parametrize("has_bloom", [True, False], ids=["with Bloom filters", "without"])
@pytest.mark.parametrize("seed", range(25))
async def test_no_deal_is_lost_behind_nodes_that_lag_omit_logs_and_reorganise(
    seed: int, has_bloom: bool
) -> None:
    random = Random(seed)
    chain = Chain()
    chain.mine()
    node = Node(chain, random, has_bloom=has_bloom, largest=random.choice((10, 50, 10**9)))
    node.lag, node.logs_late = random.choice((0, 4)), random.choice((0, 4))
    node.trouble = random.choice((0.0, 0.1))
    pool = Pool(node, start_block=0)
    reorganises = random.random() < 0.5
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(60):
            for _ in range(random.choice((1, 1, 2, 8, 20, 200))):
                pool.now += 0.25
                chain.mine(*random.choice(((), (), (), (POOL,), (OTHER,), (POOL, OTHER))))
            pool.is_busy = random.random() < 0.5
            await pool.follow()
            if reorganises and random.random() < 0.2:
                depth = random.choice((1, 2, 6, 30))
                chain.reorganise(depth)
                for _ in range(depth + 1):
                    chain.mine(*random.choice(((), (POOL,))))
        # Every node has caught up, and a last look finds what is still missing.
        node.lag = node.logs_late = 0
        node.trouble = 0.0
        await pool.settle()
    assert pool.deal_ids == chain.own_deals()
    if not reorganises:
        assert pool.reverts == 0, "a node that lags is no reorganisation"


async def test_an_idle_look_over_many_blocks_costs_one_search() -> None:
    chain = Chain()
    chain.mine()
    node = Node(chain, Random(1))
    pool = Pool(node, start_block=0)
    await pool.follow()
    pool.is_busy = False
    pool.now = 1.0
    node.calls.clear()
    for _ in range(5):
        pool.now += 2
        for _ in range(8):
            chain.mine()
        await pool.follow()
    assert node.calls == {"eth_getLogs": 5}
    assert pool.follower.position == Cursor(40, to_hex(chain.blocks[-1].hash))


async def test_a_busy_look_over_many_blocks_costs_a_search_and_a_header() -> None:
    chain = Chain()
    chain.mine()
    node = Node(chain, Random(1))
    pool = Pool(node, start_block=0)
    await pool.follow()
    node.calls.clear()
    for _ in range(4):
        pool.now += 0.25
        chain.mine()
        chain.mine()
        await pool.follow()
    assert node.calls == {"eth_getLogs": 4, "eth_getBlockByNumber": 4}


async def test_one_new_block_costs_one_search() -> None:
    chain = Chain()
    chain.mine()
    node = Node(chain, Random(1))
    pool = Pool(node, start_block=0)
    await pool.follow()
    node.calls.clear()
    chain.mine(POOL)
    await pool.follow()
    assert node.calls == {"eth_getLogs": 1}
    assert pool.deal_ids == chain.own_deals()


async def test_a_deal_that_a_look_missed_is_found_by_the_second_search_without_another_block() -> None:
    """Without Bloom filters nothing else shows it."""
    chain = Chain()
    chain.mine()
    node = Node(chain, Random(1), has_bloom=False)
    pool = Pool(node, start_block=0)
    await pool.follow()
    pool.is_busy = False
    chain.mine()
    chain.mine(POOL)
    chain.mine()
    hidden, chain.notices = chain.notices, {}
    await pool.follow()
    assert pool.deal_ids == []
    chain.notices = hidden
    await pool.settle()
    assert pool.deal_ids == chain.own_deals()
    assert pool.reverts == 0


async def test_a_limit_of_ten_blocks_is_learned_once() -> None:
    chain = Chain()
    for _ in range(500):
        chain.mine()
    node = Node(chain, Random(1), largest=10)
    refused = 0
    plain = node.get_logs

    async def counted(first: int, last: int, *, kinds: Collection[Any]) -> list[HubEvent]:
        nonlocal refused
        refused += last - first + 1 > 10
        return await plain(first, last, kinds=kinds)

    node.get_logs = counted  # type: ignore[method-assign]
    pool = Pool(node, start_block=0)
    await pool.follow()
    for _ in range(100):
        pool.now += 2
        for _ in range(8):
            chain.mine()
        await pool.follow()
    assert refused <= 12


class Paced(Pool):
    """A pool whose clock advances with each wait for a head; `arrivals` are the heads by time."""

    def __init__(self, node: Node) -> None:
        super().__init__(node, start_block=0)
        self.arrivals: list[tuple[float, Block]] = []
        self.heads.wait_change = self._wait  # type: ignore[method-assign]

    async def _wait(self, timeout: float) -> bool:
        end = self.now + timeout
        await asyncio.sleep(0)
        if self.arrivals and self.arrivals[0][0] <= end:
            at, self.heads.latest = self.arrivals.pop(0)
            self.now = max(self.now, at)
            return True
        self.now = end
        return False

    async def looks_until(self, end: float) -> list[float]:
        """Return when the follower looked."""
        looks: list[float] = []
        plain = self.follower._follow

        async def follow(head: Block) -> None:
            looks.append(self.now)
            await plain(head)

        self.follower._follow = follow  # type: ignore[method-assign]
        running = asyncio.create_task(self.follower.run())
        async with asyncio.timeout(PATIENCE_S):
            while self.now < end:
                await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait({running})
        return looks


def paced(*, busy: bool, deal_at: int = -1) -> Paced:
    """Return a pool whose node pushes four heads a second for ten seconds, one of them with a deal."""
    chain = Chain()
    chain.mine()
    pool = Paced(Node(chain, Random(1)))
    pool.is_busy = busy
    for number in range(1, 41):
        chain.mine(*((POOL,) if number == deal_at else ()))
        pool.arrivals.append((number / 4, chain.blocks[-1]))
    return pool


async def test_an_idle_pool_looks_once_in_two_seconds_however_many_heads_are_pushed() -> None:
    looks = await paced(busy=False).looks_until(10)
    assert len([at for at in looks if at <= 10]) <= 6


async def test_a_busy_pool_looks_four_times_a_second() -> None:
    looks = await paced(busy=True).looks_until(10)
    assert 35 <= len([at for at in looks if at <= 10]) <= 41


async def test_a_head_that_announces_events_of_the_hub_is_looked_at_at_once() -> None:
    looks = await paced(busy=False, deal_at=11).looks_until(10)
    assert 2.75 in looks
