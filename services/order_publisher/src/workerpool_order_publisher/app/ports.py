"""What the order publisher's use cases need from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from workerpool_poco.protocol.tags import TeeFramework

from workerpool_order_publisher.domain.order_book import Order, Terms


class MarketOutage(Exception):
    """The market gave no usable answer, so the outcome of the call is unknown; the message is one sentence.

    `retry_after_s` is the time that the market asks to wait, None when it names none.
    """

    def __init__(self, problem: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(problem)
        self.retry_after_s = retry_after_s


class MarketRefusal(Exception):
    """The market understood the call and refused it; the message is one sentence with the market's words."""


class ChainOutage(Exception):
    """The node does not answer, or does not have the block; the message is one sentence."""


class CancelRefusal(Exception):
    """The chain adapter refused to cancel an order; the message is one sentence."""


class PeerOutage(Exception):
    """Another service of the pool does not answer; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An open order of the pool in the market's listing."""

    hash: str
    salt: str
    terms: Terms
    volume: int
    signer: str


@dataclass(frozen=True, slots=True)
class Settled:
    """The chain at one block: consumed volume by order hash, and the owner's free stake in nRLC."""

    consumed: Mapping[str, int]
    stake: int


class Market(Protocol):
    """The market API. Every call raises MarketOutage without a usable answer."""

    async def listing(self) -> list[Listed]:
        """Return every open order of the pool, restricted ones included."""

    async def publish(self, order: Mapping[str, Any], order_hash: str) -> None:
        """Publish a signed order; an order that is listed already counts as published. Raises MarketRefusal."""

    async def unpublish(self, order_hash: str) -> None:
        """Withdraw an order; an order that is not listed counts as withdrawn."""


class Chain(Protocol):
    """The hub. Every call raises ChainOutage."""

    async def head(self) -> int:
        """Return the number of the newest block."""

    async def settle(self, order_hashes: Sequence[str], block: int) -> Settled:
        """Return consumed volumes and stake at a block."""


class Signer(Protocol):
    """Makes the pool owner's orders; the same order always gets the same hash and signature."""

    def order(self, terms: Terms, volume: int, created_at: float) -> Order:
        """Return a new order with a random salt."""

    def signed(self, order: Order) -> Mapping[str, Any]:
        """Return the signed order as the market takes it."""


class Journal(Protocol):
    """The orders that were signed, durable before the market gets them."""

    async def load(self) -> list[Order]:
        """Return the stored orders; empty when the journal is new."""

    async def save(self, order: Order) -> None:
        """Store an order. It is durable when the call returns."""

    async def forget(self, order_hashes: Sequence[str]) -> None:
        """Remove orders that nothing can happen to any more."""


class Canceller(Protocol):
    """Closes orders on chain, through the one process that sends the pool owner's transactions."""

    async def cancel(self, order: Order) -> None:
        """Request that an order is closed; a repeated request is harmless, and each is durable when this returns.

        Raises CancelRefusal, or PeerOutage when the request may not have arrived.
        """


class Enclaves(Protocol):
    """The secret management services of the pool."""

    async def objection(self, framework: TeeFramework) -> str:
        """Return why no SMS serves a framework; empty when one does. Raises PeerOutage."""


class Reporter(Protocol):
    """Shows in health whether a dependency works."""

    def works(self) -> None:
        """Record that it answers as it should."""

    def fails(self, problem: str) -> None:
        """Record why it cannot be used, in one sentence."""
