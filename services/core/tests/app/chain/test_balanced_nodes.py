"""The follower behind a provider that balances over nodes of which some lag, on a real chain."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from patience import PATIENCE_S
from workerpool_core.app.chain.chain_follower import ChainFollower
from workerpool_core.app.chain.deals import DealReader
from workerpool_core.domain.events import BlockSeen, BlocksReverted, ReconcileDue
from workerpool_devnet.market.trading import Purchase
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.hub import HubClient


class Following:
    """A follower over the provider, and the events it submitted."""

    def __init__(self, chain: PocoChain, provider: Any) -> None:
        self.chain, self.provider = chain, provider
        self.told: list[BlockSeen | BlocksReverted | ReconcileDue] = []
        market = chain.market
        self.owner, self.requester = chain.account("poolOwner"), chain.account("requester")
        self.pool = market.create_workerpool(self.owner, "balanced")
        self.app = market.create_app(self.requester, "balanced", "image:1")
        self.hub = HubClient(provider.url, chain.hub, attempts=1)
        self.heads = HeadStream(chain.url, block_time=0.1)
        self.follower: ChainFollower
        self._running: asyncio.Task[None] | None = None
        self._more = asyncio.Event()

    async def start(self, **options: Any) -> None:
        await self.hub.connect()
        self.heads.start()
        self.follower = ChainFollower(
            self.hub,
            self.heads,
            DealReader(self.hub, self.pool),
            self.pool,
            self._submit,
            known={},
            **options,
        )
        self._running = asyncio.create_task(self.follower.run())

    def _submit(self, event: BlockSeen | BlocksReverted | ReconcileDue) -> None:
        self.told.append(event)
        self._more.set()

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})
        await self.heads.stop()
        await self.hub.close()

    def buy(self) -> str:
        purchase = Purchase(
            requester=self.requester,
            app=self.app,
            app_owner=self.requester,
            workerpool=self.pool,
            pool_owner=self.owner,
        )
        (deal,) = self.chain.market.buy(purchase)
        return deal.deal_id

    async def head(self) -> int:
        async with HubClient(self.chain.url, self.chain.hub) as hub:
            return await hub.block_number()

    async def reached(self, number: int) -> None:
        """Wait until the follower has submitted a block. Fail when it has crashed."""
        assert self._running is not None
        async with asyncio.timeout(PATIENCE_S):
            while self.follower.position.number < number:
                assert not self._running.done(), self._running.exception()
                self._more.clear()
                await asyncio.wait(
                    {asyncio.create_task(self._more.wait()), self._running}, return_when="FIRST_COMPLETED"
                )

    @property
    def deal_ids(self) -> list[str]:
        return [
            deal.terms.deal_id for event in self.told if isinstance(event, BlockSeen) for deal in event.deals
        ]


@pytest.fixture
async def following(fresh_poco_chain: PocoChain, provider: Any) -> AsyncIterator[Following]:
    following = await asyncio.to_thread(Following, fresh_poco_chain, provider)
    yield following
    await following.stop()


async def test_a_node_that_has_the_block_but_not_yet_its_logs_hides_no_deal(following: Following) -> None:
    await following.start(start_block=0)
    await following.reached(await following.head())
    asked: list[Any] = []

    def without_logs(method: str, params: list[Any]) -> Any:
        if method != "eth_getLogs" or len(asked) >= 3:
            return None
        asked.append(params)
        return {"result": []}

    following.provider.spoil = without_logs
    deal = await asyncio.to_thread(following.buy)
    await following.reached(await following.head())
    assert following.deal_ids == [deal]


async def test_blocks_without_hub_events_are_read_once(following: Following) -> None:
    await following.start(start_block=0)
    head = await following.head()
    await following.reached(head)
    following.provider.requests.clear()
    await asyncio.to_thread(following.chain.chain.mine, 10)
    await following.reached(head + 10)
    searches = [params for method, params in following.provider.requests if method == "eth_getLogs"]
    blocks = {
        event.number for event in following.told if isinstance(event, BlockSeen) and event.number > head
    }
    assert len(searches) == len(blocks)


async def test_logs_of_other_contracts_that_look_like_the_hubs_cost_one_more_request(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    await following.start(start_block=0)
    await following.reached(await following.head())
    # Every log matches the hub's filter; a block without logs does not.
    monkeypatch.setattr(following.hub, "may_hold", lambda block, _: any(block.logs_bloom))
    following.provider.requests.clear()
    await asyncio.to_thread(following.chain.market.create_app, following.requester, "alike", "image:1")
    await following.reached(await following.head())
    searches = [params for method, params in following.provider.requests if method == "eth_getLogs"]
    of_block: dict[str, list[bool]] = {}
    for (query,) in searches:
        of_block.setdefault(query["blockHash"], []).append("address" in query)
    doubted = [of_the_hub for of_the_hub in of_block.values() if len(of_the_hub) > 1]
    assert doubted
    assert all(of_the_hub == [True, False] for of_the_hub in doubted)


async def test_a_range_of_logs_ends_at_blocks_that_every_node_has(following: Following) -> None:
    """A node answers a range beyond its head with the logs it has, without an error."""
    await asyncio.to_thread(following.chain.chain.mine, 60)
    deal = await asyncio.to_thread(following.buy)
    head = await following.head()

    def lagging(method: str, params: list[Any]) -> Any:
        if method == "eth_getLogs" and int(params[0].get("toBlock", "0x0"), 16) > head - 5:
            return {"result": []}
        return None

    following.provider.spoil = lagging
    await following.start(start_block=0)
    await following.reached(head)
    assert following.deal_ids == [deal]


async def test_a_node_that_lags_is_no_reorganisation(following: Following) -> None:
    await following.start(start_block=0)
    head = await following.head()
    await following.reached(head)
    asked: list[Any] = []

    def lagging(method: str, params: list[Any]) -> Any:
        if method == "eth_getBlockByNumber" and params[0] != "latest" and int(params[0], 16) > head - 3:
            asked.append(params)
            return {"result": None} if len(asked) < 8 else None
        return None

    following.provider.spoil = lagging
    deal = await asyncio.to_thread(following.buy)
    await asyncio.to_thread(following.chain.chain.mine, 5)
    await following.reached(await following.head())
    assert not [event for event in following.told if isinstance(event, BlocksReverted)]
    assert following.deal_ids == [deal]


@pytest.mark.parametrize(
    "refusal",
    [
        lambda: {"error": {"code": -32047, "message": "Unable to serve this"}},
        lambda: {"error": {"code": -32614, "message": "eth_getLogs is limited to a 10 range"}},
        lambda: {"result": None},
        lambda: web.json_response(
            {"error": {"code": -32600, "message": "up to a 10 block range"}}, status=400
        ),
        lambda: web.Response(status=504, text="<html>Gateway Time-out</html>"),
    ],
    ids=["unknown-words", "another-code", "null", "http-400", "gateway-timeout"],
)
async def test_a_refused_range_is_reduced_whatever_the_error(
    following: Following, refusal: Callable[[], Any]
) -> None:
    deal = await asyncio.to_thread(following.buy)
    await asyncio.to_thread(following.chain.chain.mine, 100)
    refused: list[int] = []

    def limited(method: str, params: list[Any]) -> Any:
        if method == "eth_getLogs" and "toBlock" in params[0]:
            first, last = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
            if last - first >= 10:
                refused.append(last - first)
                return refusal()
        return None

    following.provider.spoil = limited
    await following.start(start_block=0, largest_range=64)
    await following.reached(await following.head())
    assert following.deal_ids == [deal]
    assert len(refused) <= 8, "what was refused is not tried again and again"


@pytest.mark.parametrize("method", ["eth_getLogs", "eth_getBlockByNumber", "eth_call"])
async def test_malformed_answers_are_retried(following: Following, method: str) -> None:
    await following.start(start_block=0)
    await following.reached(await following.head())
    answers: list[Any] = [None, {}, "0x", [None], [{"topics": None}], {"number": None}]

    def spoil(asked: str, _params: list[Any]) -> Any:
        return {"result": answers.pop()} if asked == method and answers else None

    following.provider.spoil = spoil
    deal = await asyncio.to_thread(following.buy)
    await asyncio.to_thread(following.chain.chain.mine, 3)
    await following.reached(await following.head())
    assert following.deal_ids == [deal]
    assert not answers or method == "eth_getBlockByNumber"
