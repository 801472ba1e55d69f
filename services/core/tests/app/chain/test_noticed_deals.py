"""The cursor does not pass a deal that is not readable yet, on a real chain with a lagging node."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_core.app.chain import noticed_deals
from workerpool_core.app.chain.chain_follower import ChainFollower
from workerpool_core.app.chain.deals import DealReader
from workerpool_core.app.ports import Cursor
from workerpool_core.domain.events import BlockSeen, BlocksReverted, ReconcileDue
from workerpool_core.domain.model import DealTerms
from workerpool_devnet.market.trading import Purchase
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_kit.retry import Backoff
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import EmptyAnswer, MalformedAnswer
from workerpool_poco.protocol.ids import DealId, to_hex


class LaggingReader(DealReader):
    """Fails like a lagging node of a balanced provider."""

    def __init__(self, hub: HubClient, pool: str, error: Exception, failures: int) -> None:
        super().__init__(hub, pool)
        self.error, self.failures, self.reads = error, failures, 0

    async def read(self, deal_id: DealId, block: int) -> DealTerms:
        self.reads += 1
        if self.reads <= self.failures:
            raise self.error
        return await super().read(deal_id, block)


@pytest.fixture
def deal_and_pool(fresh_poco_chain: PocoChain) -> tuple[str, str, int]:
    """A deal, its pool, and the block before it."""
    market = fresh_poco_chain.market
    owner, requester = fresh_poco_chain.account("poolOwner"), fresh_poco_chain.account("requester")
    pool, app = market.create_workerpool(owner, "lag"), market.create_app(requester, "lag", "image:1")
    (deal,) = market.buy(
        Purchase(requester=requester, app=app, app_owner=requester, workerpool=pool, pool_owner=owner)
    )
    return deal.deal_id, pool, deal.block_number - 1


@pytest.fixture
async def follow(
    fresh_poco_chain: PocoChain, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Any]]:
    """`follow(pool, before, error, failures)` follows past the deal's block and returns the submitted deals."""
    monkeypatch.setattr(noticed_deals, "BACKOFF", Backoff(0.001, 0.001))
    async with HubClient(fresh_poco_chain.url, fresh_poco_chain.hub) as hub:

        async def follow(pool: str, before: int, error: Exception, failures: int) -> list[str]:
            told: list[BlockSeen | BlocksReverted | ReconcileDue] = []
            heads = HeadStream(fresh_poco_chain.url, block_time=0.1)
            reader = LaggingReader(hub, pool, error, failures)
            position = Cursor(before, to_hex(block.hash) if (block := await hub.block(before)) else "")
            follower = ChainFollower(hub, heads, reader, pool, told.append, known={}, position=position)
            heads.start()
            running = asyncio.create_task(follower.run())
            try:
                async with asyncio.timeout(PATIENCE_S):
                    while follower.position.number <= before:
                        await asyncio.sleep(0.01)
            finally:
                running.cancel()
                await asyncio.wait({running})
                await heads.stop()
            blocks = [event for event in told if isinstance(event, BlockSeen)]
            return [deal.terms.deal_id for block in blocks for deal in block.deals]

        yield follow


async def test_an_empty_answer_is_retried_without_limit(
    deal_and_pool: tuple[str, str, int], follow: Callable[..., Any]
) -> None:
    deal, pool, before = deal_and_pool
    assert await follow(pool, before, EmptyAnswer("no contract yet"), 100) == [deal]


async def test_only_a_deal_that_never_decodes_is_skipped(
    deal_and_pool: tuple[str, str, int], follow: Callable[..., Any]
) -> None:
    deal, pool, before = deal_and_pool
    assert await follow(pool, before, MalformedAnswer("nonsense"), 29) == [deal]
    assert await follow(pool, before, MalformedAnswer("nonsense"), 10_000) == []
