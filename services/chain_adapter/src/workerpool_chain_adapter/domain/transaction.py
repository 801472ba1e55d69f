"""A journaled transaction: one nonce of the wallet, the commands it serves, and every version that was sent."""

from dataclasses import dataclass, replace
from enum import StrEnum

from workerpool_poco.protocol.ids import Hex

from workerpool_chain_adapter.domain.command import CommandKey


class TransactionState(StrEnum):
    """States of a journaled transaction."""

    PENDING = "PENDING"
    """In the journal, possibly sent, not seen mined."""
    MINED = "MINED"
    """One of its versions was mined and succeeded."""
    REVERTED = "REVERTED"
    """One of its versions was mined and reverted."""
    REPLACED = "REPLACED"
    """A transaction that is not in the journal used its nonce."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of a mined transaction; `gas_used` in units of gas."""

    hash: Hex
    succeeded: bool
    block_number: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class Version:
    """One signed form of a transaction; versions differ only in their gas price (wei)."""

    hash: Hex
    raw: bytes
    gas_price: int


@dataclass(frozen=True, slots=True)
class JournaledTransaction:
    """A transaction; its latest version waits to be mined since the block `first_block`.

    `block_number` is the block that contains it, 0 while it is not mined. `created_at` is in Unix seconds.
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
        """Return the transaction with one more version, to be journaled before that version is sent."""
        return replace(self, versions=(*self.versions, version), first_block=block)

    def pending_again(self, head: int) -> "JournaledTransaction":
        """Return the transaction as one that is not mined and waits since the block `head`."""
        return replace(self, state=TransactionState.PENDING, block_number=0, first_block=head)

    def ended(self, state: TransactionState, block_number: int = 0) -> "JournaledTransaction":
        """Return the transaction in a final state, with the block that contains it."""
        return replace(self, state=state, block_number=block_number)
