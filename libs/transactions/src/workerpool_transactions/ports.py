"""What the pipeline needs from outside; `adapters` and the services implement it."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from workerpool_poco.protocol.ids import Address, Hex

from workerpool_transactions.domain.answers import Counts, FeeQuote, GasEstimate, SendAnswer
from workerpool_transactions.domain.entry import Call, Entry, Offer, Receipt, Version


class Journal(Protocol):
    """Stores the entries of one wallet; a write that returned survives the loss of the process.

    Every method waits for the end of a storage outage.
    """

    async def add(self, entries: Sequence[Entry]) -> None:
        """Add new entries, before any is sent; repeating a call is harmless.

        Raises `NonceTaken` and adds none when the journal holds another entry under one of the nonces.
        """

    async def save(self, entries: Sequence[Entry]) -> None:
        """Write the current form of entries."""

    async def live(self) -> list[Entry]:
        """Return the entries that have not ended, by nonce."""

    async def ended(self, first: int, before: int | None) -> list[Entry]:
        """Return ended entries with nonces from `first` up to, not including, `before` (None: no bound), by nonce."""

    async def last_mined(self, since: float) -> list[Entry]:
        """Return the MINED entries that ended at or after `since` (Unix seconds), and always the newest, by nonce."""

    async def labelled(self, label: str) -> list[Entry]:
        """Return the entries that carry a label, live or ended, by nonce."""

    async def highest_nonce(self) -> int | None:
        """Return the highest nonce of any entry; None for an empty journal."""


class Node(Protocol):
    """The chain as a sender of transactions uses it.

    Every method raises `ChainUnreachable` when the node does not answer, is throttled, or answers anything malformed:
    null where a value is required, a pending receipt, truncated JSON. None of these ends the process.
    """

    async def counts(self) -> Counts:
        """Read the wallet's transaction counts."""

    async def look(self, hashes: Sequence[Hex]) -> tuple[Counts, dict[Hex, Receipt]]:
        """Read the counts and then the receipts of the mined transactions among `hashes`, in one request."""

    async def send(self, raw: bytes) -> SendAnswer:
        """Send one signed transaction; sending it again is harmless. The caller sets the time limit."""

    async def receipts(self, hashes: Sequence[Hex]) -> dict[Hex, Receipt]:
        """Return the receipts of the mined transactions among `hashes`."""

    async def known(self, hashes: Sequence[Hex]) -> set[Hex]:
        """Return which of these transactions the node has, mined or waiting."""

    async def quote(self) -> FeeQuote:
        """Read today's fees from the newest header."""

    async def balance(self) -> int:
        """Read the wallet's balance, in wei."""

    async def estimate(self, calls: Sequence[Call]) -> list[GasEstimate]:
        """Estimate the gas of calls, whose own `gas` is ignored; no margin is added."""


class Signer(Protocol):
    """Signs with the wallet's key."""

    @property
    def address(self) -> Address:
        """The wallet's address."""

    def sign(self, nonce: int, call: Call, offer: Offer) -> Version:
        """Sign a call under a nonce; type 2 with a tip, legacy without one. Nothing is sent."""


class Timer(Protocol):
    """Time that only moves forward, and waits; a simulation passes its own."""

    def time(self) -> float:
        """Return monotonic seconds; the zero point is arbitrary."""

    async def wait(self, event: asyncio.Event, timeout_s: float | None) -> bool:
        """Wait for an event, at most `timeout_s` seconds (None: no limit). Return whether it is set."""


class NonceTaken(Exception):
    """The journal already has another entry with this nonce: a second process writes to it."""
