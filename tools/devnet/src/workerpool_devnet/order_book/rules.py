"""The rules for publishing an order, and the state of a published one from facts of the chain. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.encoding.eip712 import fields_of
from workerpool_poco.protocol.ids import Address
from workerpool_poco.protocol.orders import RequestOrder, WorkerpoolOrder

from workerpool_devnet.order_book.entries import Entry, Order, OrderKind, Status
from workerpool_devnet.order_book.errors import InvalidQuery, OrderRefused

MAX_OPEN_ORDERS = 50
"""Open orders of one wallet."""
WORKERPOOL_STAKE_PERCENT = 30
"""Part of the workerpool's price that the hub locks of its owner (PoCo constant `WORKERPOOL_STAKE_RATIO`)."""


@dataclass(frozen=True)
class Facts:
    """Facts about an order from the chain."""

    owner: Address | None
    """Owner of the resource, or the requester; None for an address that no registry knows."""
    consumed: int
    """Volume that is matched or cancelled."""
    stake: int
    """Free nRLC of the owner in the hub."""


def read_order(kind: OrderKind, content: Any) -> Order:
    """Read a signed order from JSON; raises `InvalidQuery` that names what is wrong."""
    if not isinstance(content, dict):
        raise InvalidQuery('the body must be {"order": {…}} with a signed order')
    wanted = {name for _, name in fields_of(kind.order_type.TYPE)} | {"sign"}
    if missing := sorted(wanted - content.keys()):
        raise InvalidQuery(f"the {kind.value} order lacks {', '.join(missing)}")
    for field_type, name in [*fields_of(kind.order_type.TYPE), ("bytes", "sign")]:
        if not _is_well_typed(field_type, content[name]):
            raise InvalidQuery(f"{name} must be {_WORDS[field_type]}")
    try:
        return kind.order_type.from_json(content)
    except (InvalidId, ValueError) as error:
        raise InvalidQuery(f"a field of the {kind.value} order is malformed: {error}") from error


_WORDS = {
    "uint256": "a number from 0 to 2^256 - 1, in decimal digits",
    "address": "a text: 0x and 40 hexadecimal digits",
    "bytes32": "a text: 0x and 64 hexadecimal digits",
    "bytes": "a text of hexadecimal digits",
    "string": "a text",
}


def _is_well_typed(field_type: str, value: Any) -> bool:
    if field_type == "uint256":
        if isinstance(value, str):
            # 2^256 has 78 digits.
            return value.isascii() and value.isdigit() and len(value) <= 78 and int(value) < 2**256
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**256
    # JSON can spell half of a surrogate pair, which no encoding holds.
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def check_offer(kind: OrderKind, order: Order, facts: Facts, categories: int) -> None:
    """Raise `OrderRefused` for an order that can never be matched as it is.

    `categories` is the number of categories on the hub.
    """
    if facts.owner is None:
        address = getattr(order, kind.resource_field)
        raise OrderRefused(f"no {kind.value} is registered at {address}: deploy it first")
    if remaining_volume(order, facts) <= 0:
        raise OrderRefused(
            f"no volume of the order is left: {facts.consumed} of {order.volume} are matched or cancelled; "
            "sign an order with a new salt"
        )
    if isinstance(order, WorkerpoolOrder | RequestOrder) and order.category >= categories:
        raise OrderRefused(f"the hub has no category {order.category}; the last one is {categories - 1}")
    needed = stake_for(order, order.volume)
    if facts.stake < needed:
        raise OrderRefused(
            f"{facts.owner} has {facts.stake} nRLC in the hub, but the {kind.value} order needs {needed}: "
            "deposit more, or lower price or volume"
        )


def check_count(open_orders: int) -> None:
    """Raise `OrderRefused` when a wallet with this number of open orders may not publish another one."""
    if open_orders >= MAX_OPEN_ORDERS:
        raise OrderRefused(
            f"the wallet has {open_orders} open orders, and {MAX_OPEN_ORDERS} are allowed: unpublish some"
        )


def remaining_volume(order: Order, facts: Facts) -> int:
    """Return the volume of an order that can still be matched."""
    return max(order.volume - facts.consumed, 0)


def stake_for(order: Order, volume: int) -> int:
    """Return the nRLC that the hub locks of the order's signer when `volume` tasks are matched."""
    if isinstance(order, WorkerpoolOrder):
        # The hub rounds down for each task.
        return order.workerpoolprice * WORKERPOOL_STAKE_PERCENT // 100 * volume
    if isinstance(order, RequestOrder):
        return (order.appmaxprice + order.datasetmaxprice + order.workerpoolmaxprice) * volume
    return 0


def status_of(entry: Entry, facts: Facts, matched: int | None = None) -> Status:
    """Return the state of a published order.

    `matched` is the volume in deals; None when the caller does not distinguish filled from cancelled orders.
    """
    if remaining_volume(entry.order, facts) == 0:
        return Status.CANCELED if matched is not None and matched < entry.order.volume else Status.FILLED
    # A match of one task must be possible, because the SDK uses the first order of an answer.
    if facts.owner != entry.signer or facts.stake < stake_for(entry.order, 1):
        return Status.DEAD
    return Status.OPEN
