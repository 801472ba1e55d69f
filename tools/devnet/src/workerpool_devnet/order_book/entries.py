"""Published orders: their four kinds, and the JSON form that the SDK reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from workerpool_poco.protocol.ids import Address, Hex, from_hex
from workerpool_poco.protocol.orders import AppOrder, DatasetOrder, RequestOrder, WorkerpoolOrder

Order = AppOrder | DatasetOrder | WorkerpoolOrder | RequestOrder
OrderType = type[AppOrder] | type[DatasetOrder] | type[WorkerpoolOrder] | type[RequestOrder]


class OrderKind(Enum):
    """A kind of order; the value is its name in paths and fields, such as `/apporders`."""

    APP = "app"
    DATASET = "dataset"
    WORKERPOOL = "workerpool"
    REQUEST = "request"

    @property
    def order_type(self) -> OrderType:
        """The class of the order."""
        return _TYPES[self]

    @property
    def resource_field(self) -> str:
        """The field with the address that the order belongs to: a resource, or the requester itself."""
        return "requester" if self is OrderKind.REQUEST else self.value

    @property
    def price_field(self) -> str:
        """The field by which orders are sorted; a request is sorted by what it pays the workerpool."""
        return "workerpoolmaxprice" if self is OrderKind.REQUEST else f"{self.value}price"

    @property
    def plural(self) -> str:
        """The name of the collection in paths."""
        return f"{self.value}orders"


_TYPES: dict[OrderKind, OrderType] = {
    OrderKind.APP: AppOrder,
    OrderKind.DATASET: DatasetOrder,
    OrderKind.WORKERPOOL: WorkerpoolOrder,
    OrderKind.REQUEST: RequestOrder,
}


class Status(Enum):
    """State of a published order."""

    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    DEAD = "dead"
    """The hub would refuse it: the resource has another owner, or the signer has too little stake."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A published order. Prices are in nRLC per task."""

    kind: OrderKind
    order: Order
    order_hash: Hex
    signer: Address
    """Owner of the resource, or the requester; it signed the order."""
    published_at: datetime
    """Time in UTC."""
    position: int
    """Number of orders published before, for the order of entries of the same millisecond."""

    @property
    def resource(self) -> Address:
        """The address that the order belongs to."""
        return str(getattr(self.order, self.kind.resource_field))

    @property
    def price(self) -> int:
        """The price by which the order is sorted."""
        return int(getattr(self.order, self.kind.price_field))

    @property
    def hash_bytes(self) -> bytes:
        """The EIP-712 hash of the order (32 bytes)."""
        return from_hex(self.order_hash)

    @property
    def tag(self) -> int:
        """The tag as a number, for comparisons of bits."""
        return int.from_bytes(self.order.tag, "big")

    def to_json(self, chain_id: int, remaining: int, status: Status) -> dict[str, Any]:
        """Return the entry as the market answers it; amounts are texts, as in the SDK's own orders."""
        fields = self.order.to_json().items()
        order = {name: str(value) if isinstance(value, int) else value for name, value in fields}
        moment = self.published_at.isoformat(timespec="milliseconds").removesuffix("+00:00")
        return {
            "orderHash": self.order_hash,
            "chainId": chain_id,
            "remaining": remaining,
            "status": status.value,
            "signer": self.signer,
            "publicationTimestamp": f"{moment}Z",
            "order": order,
        }
