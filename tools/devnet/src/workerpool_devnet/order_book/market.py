"""The market: publishes and withdraws orders, and answers queries for orders and deals."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.encoding.eip712 import Eip712Domain
from workerpool_poco.protocol.ids import Address, Hex, address, bytes32, to_hex

from workerpool_devnet.order_book import filters, rules
from workerpool_devnet.order_book.book import Book
from workerpool_devnet.order_book.challenges import Authorization, Challenges
from workerpool_devnet.order_book.deals import DealFilter
from workerpool_devnet.order_book.entries import Entry, OrderKind, Status
from workerpool_devnet.order_book.errors import InvalidQuery, NotAuthorized, OrderKnown, OrderNotFound
from workerpool_devnet.order_book.facts import ChainFacts
from workerpool_devnet.order_book.rules import Facts

_BY_HASH, _LAST, _ALL = "unpublish_orderHash", "unpublish_last", "unpublish_all"


class OrderBook:
    """The market of one hub on one chain."""

    def __init__(self, domain: Eip712Domain, book: Book, chain: ChainFacts, challenges: Challenges) -> None:
        self._domain = domain
        self._book = book
        self._chain = chain
        self._challenges = challenges
        self._publishing = asyncio.Lock()
        """Held from the count of a wallet's open orders to the publication of another one."""

    @property
    def chain_id(self) -> int:
        """The chain that this market serves."""
        return self._domain.chain_id

    def challenge(self, wallet: str) -> dict[str, Any]:
        """Return a challenge for a wallet to sign; raises `InvalidQuery` for a malformed address."""
        return self._challenges.issue(_address("address", wallet))

    async def authenticate(self, header: str) -> Address:
        """Return the wallet that signed a challenge; raises `NotAuthorized`. Each challenge counts once."""
        authorization = Authorization.parse(header)
        self._challenges.redeem(authorization)
        digest, wallet = bytes32(authorization.challenge_hash), authorization.wallet
        if not await self._chain.signed(wallet, digest, authorization.signature):
            raise NotAuthorized(f"the challenge is not signed by {wallet}: sign it with the wallet's own key")
        return wallet

    async def publish(self, kind: OrderKind, wallet: Address, content: Any) -> dict[str, Any]:
        """Publish a signed order of a wallet and return its entry; raises an `OrderBookError` that says why not."""
        order = rules.read_order(kind, content)
        async with self._publishing:
            entry = Entry(
                kind=kind,
                order=order,
                order_hash=to_hex(order.hash(self._domain)),
                signer=wallet,
                published_at=_now(),
                position=self._book.next_position,
            )
            if self._book.find(kind, entry.order_hash) is not None:
                raise OrderKnown(
                    f"the {kind.value} order {entry.order_hash} is published already; sign one with a new salt"
                )
            (facts,) = await self._chain.of([entry])
            if facts.owner is not None and facts.owner != wallet:
                raise NotAuthorized(
                    f"{wallet} may not publish orders of {entry.resource}: only {facts.owner} may, "
                    "with its own wallet"
                )
            rules.check_offer(kind, order, facts, await self._chain.categories())
            if not await self._chain.signed_order(entry):
                raise NotAuthorized(
                    f"the {kind.value} order is not signed by {wallet} for hub "
                    f"{self._domain.verifying_contract} on chain {self.chain_id}: sign it again"
                )
            of_wallet = await self._with_facts(self._book.of_signer(wallet))
            rules.check_count(sum(status is Status.OPEN for _, _, status in of_wallet))
            self._book.add(entry)
        return self._json(entry, facts, Status.OPEN)

    async def unpublish(self, kind: OrderKind, wallet: Address, content: Any) -> list[Hex]:
        """Withdraw orders of a wallet and return their hashes; raises `OrderNotFound` when there are none."""
        if not isinstance(content, dict):
            raise InvalidQuery(f'the body must be {{"target": "{_BY_HASH}", "orderHash": "0x…"}} or the like')
        named = await self._with_facts(self._named(kind, wallet, content))
        chosen = [entry for entry, _, status in named if status is not Status.FILLED]
        if content["target"] == _LAST:
            chosen = chosen[-1:]
        if not chosen:
            raise OrderNotFound(f"{wallet} has no open {kind.value} order that this request names")
        for entry in chosen:
            # A concurrent request may have withdrawn it while the chain was read.
            if self._book.find(kind, entry.order_hash) is not None:
                self._book.remove(entry)
        return [entry.order_hash for entry in chosen]

    async def orders(self, kind: OrderKind, query: Mapping[str, str]) -> dict[str, Any]:
        """Return one page of the open orders that a query selects, the best first."""
        wanted = filters.parse(kind, query)
        live = await self._with_facts([entry for entry in self._book.live() if wanted.matches(entry)])
        found = {
            entry.order_hash: (entry, facts)
            for entry, facts, status in live
            if status is Status.OPEN and rules.remaining_volume(entry.order, facts) >= wanted.min_volume
        }
        ranked = filters.best_first(entry for entry, _ in found.values())
        page, following = wanted.page.cut(ranked)
        answer: dict[str, Any] = {"count": len(ranked)}
        if following is not None:
            answer["nextPage"] = following
        answer["orders"] = [self._json(entry, found[entry.order_hash][1], Status.OPEN) for entry in page]
        return answer

    async def order(self, kind: OrderKind, order_hash: str) -> dict[str, Any]:
        """Return a published order in any state; raises `OrderNotFound` for an unknown one."""
        entry = self._book.find(kind, _hash(order_hash))
        if entry is None:
            raise OrderNotFound(f"no {kind.value} order {order_hash} is published here")
        (facts,) = await self._chain.of([entry])
        status = rules.status_of(entry, facts)
        if status is Status.FILLED:
            status = rules.status_of(entry, facts, await self._chain.matched_volume(kind, entry.hash_bytes))
        return self._json(entry, facts, status)

    async def deals(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return one page of the deals that a query selects, the newest first."""
        wanted = DealFilter.parse(query)
        found = await self._chain.deals(wanted)
        page, following = wanted.page.cut(found)
        answer: dict[str, Any] = {"count": len(found)}
        if following is not None:
            answer["nextPage"] = following
        answer["deals"] = [each.to_json(self.chain_id) for each in page]
        return answer

    def _named(self, kind: OrderKind, wallet: Address, content: dict[str, Any]) -> Sequence[Entry]:
        """Return the entries of a wallet that a request names, in the order of their publication."""
        target = content.get("target")
        if target == _BY_HASH:
            entry = self._book.find(kind, _hash(content.get("orderHash")))
            return [entry] if entry is not None and entry.signer == wallet else []
        if target not in (_LAST, _ALL):
            raise InvalidQuery(f"target must be {_BY_HASH}, {_LAST} or {_ALL}")
        resource = _address(kind.resource_field, content.get(kind.resource_field))
        return [
            entry
            for entry in self._book.of_signer(wallet)
            if entry.kind is kind and entry.resource == resource
        ]

    async def _with_facts(self, entries: Sequence[Entry]) -> list[tuple[Entry, Facts, Status]]:
        """Return entries with their current facts from the chain."""
        if not entries:
            return []
        all_facts = await self._chain.of(entries)
        known = [
            (entry, facts, rules.status_of(entry, facts))
            for entry, facts in zip(entries, all_facts, strict=True)
        ]
        used_up = [entry for entry, _, status in known if status is Status.FILLED]
        if used_up:
            rest = [entry for entry, _, status in known if status is not Status.FILLED]
            self._book.note_volumes(used_up, rest, await self._chain.head())
        return known

    def _json(self, entry: Entry, facts: Facts, status: Status) -> dict[str, Any]:
        return entry.to_json(self.chain_id, rules.remaining_volume(entry.order, facts), status)


def _now() -> datetime:
    return datetime.now(UTC)


def _address(name: str, value: Any) -> Address:
    try:
        return address(value if isinstance(value, str) else "")
    except InvalidId:
        raise InvalidQuery(f"{name} must be an address: 0x and 40 hexadecimal digits") from None


def _hash(value: Any) -> Hex:
    try:
        return to_hex(bytes32(value if isinstance(value, str) else ""))
    except InvalidId:
        raise InvalidQuery("an order hash is 0x and 64 hexadecimal digits") from None
