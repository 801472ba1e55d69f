"""Ports: the interfaces to the outside that the order publisher's use cases need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from workerpool_poco.protocol.tags import TeeFramework

from workerpool_order_publisher.domain.order_book import Order, Terms


class MarketOutage(Exception):
    """The market gave no usable answer, so the outcome of the call is unknown; the message is one sentence.

    `retry_after_s` is the `Retry-After` of the answer in seconds, None without one.
    """

    def __init__(self, problem: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(problem)
        self.retry_after_s = retry_after_s


class MarketRefusal(Exception):
    """The market refused the content of a call; the message is one sentence with the market's error."""


class ChainOutage(Exception):
    """The node does not answer or lacks the block; the message is one sentence."""


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
    """The market API. Every method raises MarketOutage without a usable answer."""

    async def listing(self) -> list[Listed]:
        """Return every open order of the pool, restricted ones included."""

    async def publish(self, order: Mapping[str, Any], order_hash: str) -> None:
        """Publish a signed order; one that is already listed counts as published. Raises MarketRefusal."""

    async def unpublish(self, order_hash: str) -> None:
        """Withdraw an order; one that is not listed counts as withdrawn."""


class Chain(Protocol):
    """The hub. Every method raises ChainOutage."""

    async def head(self) -> int:
        """Return the number of the newest block."""

    async def settle(self, order_hashes: Sequence[str], block: int) -> Settled:
        """Return consumed volumes and stake at a block."""


class Signer(Protocol):
    """Creates and signs the pool owner's orders; the same order always has the same hash and signature."""

    def order(self, terms: Terms, volume: int, created_at: float) -> Order:
        """Return a new order with a random salt."""

    def signed(self, order: Order) -> Mapping[str, Any]:
        """Return the signed order in the market's format."""


class Journal(Protocol):
    """The signed orders, durable before they are sent to the market."""

    async def load(self) -> list[Order]:
        """Return the stored orders; empty when the journal is new."""

    async def save(self, order: Order) -> None:
        """Store an order. It is durable when the call returns."""

    async def forget(self, order_hashes: Sequence[str]) -> None:
        """Remove closed orders."""


class Canceller(Protocol):
    """Cancels orders on chain through the chain adapter, which alone sends the pool owner's transactions."""

    async def cancel(self, order: Order) -> None:
        """Request the cancellation of an order; the request is idempotent, and durable when this returns.

        Raises CancelRefusal, or PeerOutage when the request may not have arrived.
        """


class Enclaves(Protocol):
    """The SMS of each TEE framework."""

    async def objection(self, framework: TeeFramework) -> str:
        """Return why no SMS serves a framework; empty when one does. Raises PeerOutage."""


class Reporter(Protocol):
    """Reports the health of a dependency."""

    def works(self) -> None:
        """Record that it works."""

    def fails(self, problem: str) -> None:
        """Record why it does not work, in one sentence."""
