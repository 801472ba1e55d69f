"""Deals as the market answers them: the JSON form and the filters of `GET /deals`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.contracts.events import OrdersMatched
from workerpool_poco.protocol.ids import address, bytes32, to_hex
from workerpool_poco.protocol.model import Deal, Resource

from workerpool_devnet.order_book.errors import InvalidQuery
from workerpool_devnet.order_book.filters import ANY, PAGING, Page

_ORDER_HASHES = {
    "apporderHash": "app_hash",
    "datasetorderHash": "dataset_hash",
    "workerpoolorderHash": "workerpool_hash",
    "requestorderHash": "request_hash",
}
_FIELDS: dict[str, Callable[[Deal], str]] = {
    "requester": lambda deal: deal.requester,
    "beneficiary": lambda deal: deal.beneficiary,
    "app": lambda deal: deal.app.pointer,
    "appOwner": lambda deal: deal.app.owner,
    "dataset": lambda deal: deal.dataset.pointer,
    "datasetOwner": lambda deal: deal.dataset.owner,
    "workerpool": lambda deal: deal.workerpool.pointer,
    "workerpoolOwner": lambda deal: deal.workerpool.owner,
}


@dataclass(frozen=True)
class MatchedDeal:
    """A deal with the orders that made it and the time of its block, in Unix seconds."""

    match: OrdersMatched
    deal: Deal
    timestamp: int

    def to_json(self, chain_id: int) -> dict[str, Any]:
        """Return the deal as the market answers it."""
        deal, position = self.deal, self.match.position
        moment = datetime.fromtimestamp(self.timestamp, UTC).isoformat(timespec="milliseconds")
        return {
            "dealid": deal.deal_id,
            "chainId": chain_id,
            "app": _resource(deal.app),
            "dataset": _resource(deal.dataset),
            "workerpool": _resource(deal.workerpool),
            "trust": deal.trust,
            "category": deal.category,
            "tag": to_hex(deal.tag),
            "requester": deal.requester,
            "beneficiary": deal.beneficiary,
            "callback": deal.callback,
            "params": deal.params,
            "startTime": deal.start_time,
            "botFirst": deal.bot_first,
            "botSize": deal.bot_size,
            "volume": self.match.volume,
            "workerStake": str(deal.worker_stake),
            "schedulerRewardRatio": deal.scheduler_reward_ratio,
            "sponsor": deal.sponsor,
            **{name: to_hex(getattr(self.match, field)) for name, field in _ORDER_HASHES.items()},
            "blockNumber": position.block_number,
            "blockTimestamp": f"{moment.removesuffix('+00:00')}Z",
            "transactionHash": to_hex(position.transaction_hash),
        }


@dataclass(frozen=True)
class DealFilter:
    """The filters of a query of deals."""

    order_hashes: tuple[tuple[str, bytes], ...]
    """Field of `OrdersMatched` and the hash that it equals."""
    fields: tuple[tuple[str, str], ...]
    """Name of a field of the deal and the address that it equals."""
    page: Page

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> DealFilter:
        """Read the parameters of `GET /deals`; raises `InvalidQuery`."""
        known = {*_ORDER_HASHES, *_FIELDS}
        if unknown := sorted(query.keys() - known - PAGING):
            raise InvalidQuery(
                f"deals cannot be filtered by {', '.join(unknown)}; the filters are {', '.join(sorted(known))}"
            )
        try:
            hashes = [(field, bytes32(query[name])) for name, field in _ORDER_HASHES.items() if name in query]
            wanted = {name: query[name] for name in _FIELDS if query.get(name, ANY) != ANY}
            fields = [(name, address(value)) for name, value in wanted.items()]
        except InvalidId as error:
            raise InvalidQuery(f"a filter of deals is malformed: {error}") from error
        return cls(tuple(hashes), tuple(fields), Page.parse(query))

    def matches_orders(self, match: OrdersMatched) -> bool:
        """Return whether the orders of a match are those that the query names."""
        return all(getattr(match, field) == wanted for field, wanted in self.order_hashes)

    def matches_deal(self, deal: Deal) -> bool:
        """Return whether the addresses of a deal are those that the query names."""
        return all(_FIELDS[name](deal) == wanted for name, wanted in self.fields)


def _resource(resource: Resource) -> dict[str, Any]:
    return {"pointer": resource.pointer, "owner": resource.owner, "price": str(resource.price)}
