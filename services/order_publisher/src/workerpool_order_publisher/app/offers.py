"""A snapshot of the publisher's offers, for its operator."""

from dataclasses import dataclass

from workerpool_order_publisher.domain.order_book import Order


@dataclass(frozen=True, slots=True)
class Offers:
    """The open orders, and the reasons why there are no more.

    `reconciled_at` is the time of the last comparison of core, chain and market in Unix seconds, None before the first.
    """

    orders: tuple[Order, ...] = ()
    foreign_volume: int = 0
    capacity: int = 0
    open_volume: int = 0
    reasons: tuple[str, ...] = ()
    reconciled_at: float | None = None
