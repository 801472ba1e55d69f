"""Client of the market API: list, publish and withdraw workerpool orders, with a signed challenge."""

from collections.abc import Mapping
from typing import Any

from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.encoding.eip712 import Eip712Domain
from workerpool_poco.protocol.ids import Address, to_hex
from workerpool_poco.protocol.orders import WorkerpoolOrder

from workerpool_order_publisher.adapters.market.challenges import authorization, challenge_digest
from workerpool_order_publisher.adapters.market.market_http import Answer, MarketHttp
from workerpool_order_publisher.adapters.market.order_signer import listed_terms
from workerpool_order_publisher.app.ports import Listed, MarketOutage, MarketRefusal

_PATH = "/workerpoolorders"
_PAGE_SIZE = 100
_MAX_PAGES = 100
_NOT_FOUND = 404
_ON_THE_BOOK = frozenset({"open", "dead"})
"""Statuses of a published order that can be matched: now, or once the owner's stake suffices again."""


class HttpMarket:
    """The market of one chain for one pool. Implements the `Market` port."""

    def __init__(self, http: MarketHttp, wallet: Wallet, pool: Address, domain: Eip712Domain) -> None:
        """Create the client; `domain` is the EIP-712 domain of the hub's orders, used to hash each listed order."""
        self._http = http
        self._wallet = wallet
        self._pool = pool
        self._domain = domain

    async def listing(self) -> list[Listed]:
        """Return every open order of the pool, restricted ones included. Raises MarketOutage."""
        found: dict[str, Listed] = {}
        page = 0
        for _ in range(_MAX_PAGES):
            answer = await self._http.get(
                _PATH,
                workerpool=self._pool,
                app="any",
                dataset="any",
                requester="any",
                pageIndex=str(page),
                pageSize=str(_PAGE_SIZE),
            )
            if answer.status != 200:
                raise MarketOutage(f"the market refuses to list the pool's orders: {answer.error}")
            try:
                found |= {order.hash: order for order in map(self._listed, answer.content["orders"])}
                following = answer.content.get("nextPage")
                if following is None:
                    return list(found.values())
                if not isinstance(following, int):
                    raise ValueError(f"nextPage is {str(following)[:80]!r}")
                page = following
            except (KeyError, TypeError, ValueError, AttributeError, PocoError) as error:
                raise MarketOutage(f"the market lists an unreadable order: {error!r}"[:300]) from error
        raise MarketOutage(f"the market's listing has more than {_MAX_PAGES} pages")

    async def publish(self, order: Mapping[str, Any], order_hash: str) -> None:
        """Publish a signed order. Raises MarketRefusal, or MarketOutage when the outcome is unknown."""
        answer = await self._http.send("POST", _PATH, {"order": order}, await self._authorization())
        if answer.status < 300:
            return
        # The market refuses a repeated publication when the first one arrived.
        if not await self._is_published(order_hash):
            raise MarketRefusal(answer.error)

    async def unpublish(self, order_hash: str) -> None:
        """Withdraw an order; one that is not listed counts as withdrawn. Raises MarketOutage."""
        body = {"target": "unpublish_orderHash", "orderHash": order_hash}
        answer = await self._http.send("PUT", _PATH, body, await self._authorization())
        if answer.status >= 300 and answer.status != _NOT_FOUND:
            raise MarketOutage(f"the market refuses to withdraw an order: {answer.error}")

    async def unpublish_all(self) -> list[str]:
        """Withdraw every order of the pool and return their hashes. Raises MarketOutage."""
        body = {"target": "unpublish_all", "workerpool": self._pool}
        answer = await self._http.send("PUT", _PATH, body, await self._authorization())
        if answer.status == _NOT_FOUND:
            return []
        hashes = answer.content.get("unpublished")
        if answer.status >= 300 or not isinstance(hashes, list):
            raise MarketOutage(f"the market refuses to withdraw the orders: {answer.error}")
        return [str(order_hash) for order_hash in hashes]

    async def _is_published(self, order_hash: str) -> bool:
        answer = await self._http.get(f"{_PATH}/{order_hash}")
        return answer.status == 200 and answer.content.get("status") in _ON_THE_BOOK

    async def _authorization(self) -> str:
        """Return the header of one call; each challenge is valid once."""
        answer: Answer = await self._http.get("/challenge", address=self._wallet.address)
        if answer.status != 200:
            raise MarketOutage(f"the market refuses to issue a challenge: {answer.error}")
        data = answer.content.get("data", answer.content)
        if not isinstance(data, dict):
            raise MarketOutage("the market's challenge is not typed data")
        try:
            digest = challenge_digest(data, self._domain.chain_id)
        except ValueError as error:
            raise MarketOutage(f"the market's challenge must not be signed: {error}") from error
        return authorization(self._wallet, self._wallet.address, digest)

    def _listed(self, entry: Mapping[str, Any]) -> Listed:
        order = WorkerpoolOrder.from_json(entry["order"])
        if order.workerpool != self._pool:
            raise ValueError("it belongs to another pool")
        # Compute the hash, because a wrong one from the market would hide an order that can be bought.
        order_hash = to_hex(order.hash(self._domain))
        return Listed(
            order_hash, to_hex(order.salt), listed_terms(order), order.volume, str(entry.get("signer", ""))
        )
