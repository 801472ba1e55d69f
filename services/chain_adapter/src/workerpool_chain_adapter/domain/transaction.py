"""A journaled transaction: one nonce of the wallet, the commands it serves, and every version that was sent."""

from dataclasses import dataclass, replace
from enum import StrEnum

from workerpool_poco.ids import HexId

from workerpool_chain_adapter.domain.command import CommandKey


class TransactionState(StrEnum):
    """What is known about a nonce."""

    PENDING = "PENDING"
    """In the journal; maybe sent, not seen mined."""
    MINED = "MINED"
    """One of its versions was mined without a revert."""
    REVERTED = "REVERTED"
    """One of its versions was mined, and reverted."""
    REPLACED = "REPLACED"
    """Something that is not in the journal was mined with this nonce."""
    WITHDRAWN = "WITHDRAWN"
    """No node ever took it; the nonce is free again."""


@dataclass(frozen=True, slots=True)
class Version:
    """One signed form of a transaction; versions differ in their gas price (wei) only."""

    hash: HexId
    raw: bytes
    gas_price: int


@dataclass(frozen=True, slots=True)
class JournaledTransaction:
    """A transaction; `first_block` is the head when its latest version was signed."""

    nonce: int
    keys: tuple[CommandKey, ...]
    data: bytes
    gas: int
    versions: tuple[Version, ...]
    created_at: float
    first_block: int
    state: TransactionState = TransactionState.PENDING

    @property
    def latest(self) -> Version:
        """The version that was signed last."""
        return self.versions[-1]

    def replaced_by(self, version: Version, block: int) -> "JournaledTransaction":
        """Return the transaction with one more version, to be journaled before that one is sent."""
        return replace(self, versions=(*self.versions, version), first_block=block)

    def revived(self) -> "JournaledTransaction":
        """Return the transaction as one that is not mined (any more)."""
        return replace(self, state=TransactionState.PENDING)

    def ended(self, state: TransactionState) -> "JournaledTransaction":
        """Return the transaction in a final state."""
        return replace(self, state=state)
