"""Reads of the hub that the order book needs, through the node of the devnet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from workerpool_poco.chain.answers import read_bytes
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import ChainUnreachable, MalformedAnswer, RpcError
from workerpool_poco.protocol.contracts import abi
from workerpool_poco.protocol.contracts.events import OrdersMatched
from workerpool_poco.protocol.contracts.interface import Function
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, address, to_hex

from workerpool_devnet.order_book.deals import DealFilter, MatchedDeal
from workerpool_devnet.order_book.entries import Entry, OrderKind
from workerpool_devnet.order_book.errors import ChainAway
from workerpool_devnet.order_book.rules import Facts

_REGISTRIES = {
    OrderKind.APP: ("appregistry", "viewApp"),
    OrderKind.DATASET: ("datasetregistry", "viewDataset"),
    OrderKind.WORKERPOOL: ("workerpoolregistry", "viewWorkerpool"),
}
_Call = tuple[Function, Sequence[Any], Address]
"""A view, its arguments, and the contract to call."""


class ChainFacts:
    """Reads facts about orders and deals. Every method raises `ChainAway` when the node does not answer."""

    def __init__(self, hub: HubClient) -> None:
        self._hub = hub
        self._registries: dict[OrderKind, Address] = {}
        self._deals: dict[tuple[str, bytes], MatchedDeal] = {}
        """Deal id and block hash → deal: a reorganisation may match the same orders in another block."""

    async def head(self) -> int:
        """Return the number of the newest block."""
        async with _reading():
            return await self._hub.block_number()

    async def categories(self) -> int:
        """Return the number of categories on the hub."""
        async with _reading():
            return int((await self._hub.call(abi.HUB["countCategory"]))[0])

    async def signed(self, signer: Address, digest: bytes, signature: bytes) -> bool:
        """Return whether the hub accepts a signature of a digest: a wallet's, or a contract's (ERC-1271)."""
        return await self._any_true((abi.HUB["verifySignature"], (signer, digest, signature), self._address))

    async def signed_order(self, entry: Entry) -> bool:
        """Return whether the hub accepts the signature of an order, or has the order signed in advance."""
        signer, digest = entry.signer, entry.hash_bytes
        return await self._any_true(
            (abi.HUB["verifySignature"], (signer, digest, entry.order.sign), self._address),
            (abi.HUB["verifyPresignature"], (signer, digest), self._address),
        )

    async def of(self, entries: Sequence[Entry]) -> list[Facts]:
        """Return the facts about orders, in one request to the node."""
        registries = await self._known_registries()
        resources = sorted(
            {(entry.kind.value, entry.resource) for entry in entries if entry.kind is not OrderKind.REQUEST}
        )
        signers = sorted({entry.signer for entry in entries})
        calls: list[_Call] = [
            (abi.HUB["viewConsumed"], (entry.hash_bytes,), self._address) for entry in entries
        ]
        calls += [(abi.HUB["viewAccount"], (signer,), self._address) for signer in signers]
        for name, resource in resources:
            kind = OrderKind(name)
            calls.append((abi.APP_REGISTRY["isRegistered"], (resource,), registries[kind]))
            calls.append((abi.HUB[_REGISTRIES[kind][1]], (resource,), self._address))
        answers = iter(await self._call(calls))
        consumed = [_first(next(answers)) or 0 for _ in entries]
        stakes = {signer: int((_first(next(answers)) or (0, 0))[0]) for signer in signers}
        owners: dict[tuple[str, Address], Address | None] = {}
        for named in resources:
            registered, view = _first(next(answers)), _first(next(answers))
            owners[named] = address(view[0]) if registered and view else None
        return [
            Facts(
                # A request belongs to its requester.
                entry.resource
                if entry.kind is OrderKind.REQUEST
                else owners[(entry.kind.value, entry.resource)],
                int(volume),
                stakes[entry.signer],
            )
            for entry, volume in zip(entries, consumed, strict=True)
        ]

    async def matched_volume(self, kind: OrderKind, order_hash: bytes) -> int:
        """Return the volume of an order that is in deals."""
        matches = await self._matches()
        field = f"{kind.value}_hash"
        return sum(match.volume for match in matches if getattr(match, field) == order_hash)

    async def deals(self, wanted: DealFilter) -> list[MatchedDeal]:
        """Return the deals of a query, newest first."""
        matches = [match for match in await self._matches() if wanted.matches_orders(match)]
        new = [match for match in matches if _key(match) not in self._deals]
        async with _reading():
            deals = await self._hub.view_deals([match.deal_id for match in new])
            blocks = await self._hub.blocks([match.position.block_number for match in new])
        for match, deal, block in zip(new, deals, blocks, strict=True):
            self._deals[_key(match)] = MatchedDeal(match, deal, block.timestamp if block else 0)
        found = [self._deals[_key(match)] for match in reversed(matches)]
        return [each for each in found if wanted.matches_deal(each.deal)]

    async def _matches(self) -> list[OrdersMatched]:
        """Read every match on the chain again: a reorganisation of the devnet may replace any."""
        async with _reading():
            events = await self._hub.get_logs(0, await self._hub.block_number(), kinds=[OrdersMatched])
        return [event for event in events if isinstance(event, OrdersMatched)]

    async def _known_registries(self) -> dict[OrderKind, Address]:
        if not self._registries:
            answers = await self._call(
                [(abi.HUB[name], (), self._address) for name, _ in _REGISTRIES.values()]
            )
            self._registries = {
                kind: address(_first(answer)) for kind, answer in zip(_REGISTRIES, answers, strict=True)
            }
        return self._registries

    async def _any_true(self, *calls: _Call) -> bool:
        return any(_first(answer) for answer in await self._call(calls))

    async def _call(self, calls: Sequence[_Call]) -> list[tuple[Any, ...] | None]:
        """Return the answers of views at the newest block; None for a view that reverted."""
        async with _reading():
            answers = await self._hub.rpc.batch(
                [
                    (
                        "eth_call",
                        ({"from": ZERO_ADDRESS, "to": to, "data": to_hex(view.encode(*arguments))}, "latest"),
                    )
                    for view, arguments, to in calls
                ]
            )
            return [_decoded(view, answer) for (view, _, _), answer in zip(calls, answers, strict=True)]

    @property
    def _address(self) -> Address:
        return self._hub.hub_address


@asynccontextmanager
async def _reading() -> AsyncIterator[None]:
    try:
        yield
    except (ChainUnreachable, RpcError) as error:
        raise ChainAway(f"the order book cannot read the chain: {error}; try again") from error


def _decoded(view: Function, answer: Any) -> tuple[Any, ...] | None:
    if isinstance(answer, RpcError):
        if answer.code == 3 or "revert" in answer.message.lower():
            return None
        raise answer
    try:
        return view.decode(read_bytes(view.name, answer))
    except MalformedAnswer:
        # No contract of that kind stands at the address.
        return None


def _first(answer: tuple[Any, ...] | None) -> Any:
    return None if answer is None else answer[0]


def _key(match: OrdersMatched) -> tuple[str, bytes]:
    return match.deal_id, match.position.block_hash
