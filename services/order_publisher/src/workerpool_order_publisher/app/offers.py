"""What the publisher offers at one moment, for its operator."""

from dataclasses import dataclass

from workerpool_order_publisher.domain.order_book import Order


@dataclass(frozen=True, slots=True)
class Offers:
    """The open orders, and why there are no more. `reconciled_at` is in Unix seconds, None before the first time."""

    orders: tuple[Order, ...] = ()
    foreign_volume: int = 0
    capacity: int = 0
    open_volume: int = 0
    reasons: tuple[str, ...] = ()
    reconciled_at: float | None = None
