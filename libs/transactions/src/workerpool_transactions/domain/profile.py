"""Chain profiles: how the chains that a pool meets differ for a sender of transactions."""

from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """The three shapes of chain."""

    MEMPOOL = "mempool"
    """Ethereum, anvil: nodes keep pending transactions, with gaps, and replace them for a higher offer."""
    SEQUENCER = "sequencer"
    """Arbitrum (Nitro): a send returns when the transaction is sequenced; nothing waits, so nothing is replaced."""
    FREE = "free"
    """Bellecour: gas costs nothing; nodes keep pending transactions, and a price of 0 cannot be raised."""


@dataclass(frozen=True, slots=True)
class ChainProfile:
    """What the pipeline must know about a chain. Times in seconds."""

    shape: Shape
    send_limit_s: float = 30.0
    """Longest wait for the answer to one send; a sequencer under load answers after up to 12 s."""
    resend_after_s: float = 1.0
    """A transaction that the node does not know after this time is sent again, as the same bytes."""
    replace_after_s: float = 15.0
    """A known transaction that waits this long, and at least five block times, gets a higher offer."""
    gas_ceiling: int = 32_000_000
    """Most gas of one transaction, whatever gas limit the blocks announce (Arbitrum announces 2^50)."""

    @property
    def transfer_gas(self) -> int:
        """Gas limit of an empty transfer when the node gives no estimate; a rollup charges more than the minimum."""
        return 21_000 if self.has_mempool else 500_000

    @property
    def has_mempool(self) -> bool:
        """Whether nodes keep transactions that are not mined."""
        return self.shape is not Shape.SEQUENCER

    @property
    def is_free(self) -> bool:
        """Whether gas costs nothing."""
        return self.shape is Shape.FREE
