"""A journal entry: one nonce of the wallet, the call it carries, and every version that was signed."""

from dataclasses import dataclass, replace
from enum import StrEnum

from workerpool_poco.protocol.ids import Address, Hex

_NO_HASH = Hex("")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a version pays per unit of gas, in wei.

    With a `tip` it is an EIP-1559 transaction (type 2), whose price is min(`max_fee`, base fee + `tip`). Without one
    it is a legacy transaction (EIP-155) at the price `max_fee`.
    """

    max_fee: int
    tip: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What a transaction does; `value` in wei, `gas` its limit.

    `labels` name the caller's work that the transaction serves, such as `FINALIZE:0x…`; several for a batch.
    """

    to: Address
    data: bytes
    gas: int
    labels: tuple[str, ...] = ()
    value: int = 0


@dataclass(frozen=True, slots=True)
class Version:
    """One signed form of an entry; versions of an entry differ in their offer only.

    An empty version differs in its call too: a transfer of nothing from the wallet to itself, which only uses the
    nonce.
    """

    hash: Hex
    raw: bytes
    offer: Offer
    is_empty: bool = False


class EntryState(StrEnum):
    """States of an entry."""

    SIGNED = "SIGNED"
    """Journaled; no node has accepted a version yet."""
    SENT = "SENT"
    """A node has accepted a version, and none is seen mined."""
    MINED = "MINED"
    """A version is mined and succeeded."""
    REVERTED = "REVERTED"
    """A version is mined and reverted: it cost gas and had no effect."""
    DISPLACED = "DISPLACED"
    """A transaction that this journal does not hold used the nonce, for example one of the owner's own tools."""
    REFUSED = "REFUSED"
    """The nodes refuse the call itself, such as a gas limit above the block's; an empty transfer used the nonce."""


LIVE_STATES = frozenset({EntryState.SIGNED, EntryState.SENT})
"""States in which the pipeline works on an entry."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of a mined version; `gas_used` in units of gas."""

    hash: Hex
    succeeded: bool
    block_number: int
    gas_used: int
    block_hash: Hex = _NO_HASH


@dataclass(frozen=True, slots=True)
class Entry:
    """One nonce of the wallet. A journaled nonce is never given to another call.

    Times are Unix seconds. `receipt` is the outcome of a mined version; it is None in every other state, also in
    REFUSED. A filler is an entry without labels: an empty transfer that uses a nonce which no entry holds.
    """

    nonce: int
    call: Call
    versions: tuple[Version, ...]
    created_at: float
    state: EntryState = EntryState.SIGNED
    receipt: Receipt | None = None
    updated_at: float = 0.0

    @property
    def latest(self) -> Version:
        """The version that was signed last."""
        return self.versions[-1]

    @property
    def is_live(self) -> bool:
        """Whether the pipeline still works on it."""
        return self.state in LIVE_STATES

    @property
    def is_filler(self) -> bool:
        """Whether it only uses a nonce."""
        return not self.call.labels

    def sent(self, now: float) -> "Entry":
        """Return the entry after a node accepted a version."""
        return replace(self, state=EntryState.SENT, updated_at=now)

    def replaced_by(self, version: Version, now: float) -> "Entry":
        """Return the entry with one more version, to be journaled before that version is sent."""
        return replace(self, versions=(*self.versions, version), state=EntryState.SIGNED, updated_at=now)

    def handed_back(self, now: float) -> "Entry":
        """Return the entry as a filler whose work another nonce does, after its nonce became unused again.

        Its versions stay: one of them may still be mined.
        """
        return replace(self.live_again(now), call=replace(self.call, labels=()))

    def ended(self, state: EntryState, now: float, receipt: Receipt | None = None) -> "Entry":
        """Return the entry in a final state."""
        return replace(self, state=state, receipt=receipt, updated_at=now)

    def live_again(self, now: float) -> "Entry":
        """Return the entry after a reorganisation removed its mined version."""
        return replace(self, state=EntryState.SIGNED, receipt=None, updated_at=now)
