"""A journaled transaction: one nonce of the wallet, the commands it serves, and every version that was sent."""

from dataclasses import dataclass, replace
from enum import StrEnum

from workerpool_poco.protocol.ids import HexId

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


@dataclass(frozen=True, slots=True)
class Version:
    """One signed form of a transaction; versions differ in their gas price (wei) only."""

    hash: HexId
    raw: bytes
    gas_price: int


@dataclass(frozen=True, slots=True)
class JournaledTransaction:
    """A transaction; `first_block` is the head from which on its latest version waits to be mined.

    `block_number` is the block it was mined in, 0 as long as it is not.
    """

    nonce: int
    keys: tuple[CommandKey, ...]
    data: bytes
    gas: int
    versions: tuple[Version, ...]
    created_at: float
    first_block: int
    state: TransactionState = TransactionState.PENDING
    block_number: int = 0

    @property
    def latest(self) -> Version:
        """The version that was signed last."""
        return self.versions[-1]

    def replaced_by(self, version: Version, block: int) -> "JournaledTransaction":
        """Return the transaction with one more version, to be journaled before that one is sent."""
        return replace(self, versions=(*self.versions, version), first_block=block)

    def revived(self, head: int) -> "JournaledTransaction":
        """Return the transaction as one that is not mined (any more), and waits from the block `head` on."""
        return replace(self, state=TransactionState.PENDING, block_number=0, first_block=head)

    def ended(self, state: TransactionState, block_number: int = 0) -> "JournaledTransaction":
        """Return the transaction in a final state, with the block it was mined in."""
        return replace(self, state=state, block_number=block_number)
