"""How a sequencer takes transactions: it executes each at once, or refuses it; nothing waits longer than a second."""

import asyncio

from workerpool_poco.protocol.ids import Hex

from workerpool_transactions.domain.answers import SendAnswer, SendOutcome
from workerpool_transactions.simulation.chain.blocks import Block, Chain
from workerpool_transactions.simulation.chain.signed import Signed

_HELD_S = 1.0
_LOOK_S = 0.1


class Sequencer:
    """Executes transactions in the order of their nonces. Implements `Intake`."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    async def take(self, sent: Signed, view: Block) -> SendAnswer:
        """Execute a transaction in a block of its own; the sequencer itself does not lag."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + _HELD_S
        while sent.nonce > self._chain.head.count:
            if loop.time() >= give_up_at:
                return SendAnswer(SendOutcome.NONCE_TOO_HIGH, "nonce too high")
            await asyncio.sleep(_LOOK_S)
        head = self._chain.head
        if sent.nonce < head.count:
            return SendAnswer(SendOutcome.NONCE_TOO_LOW, "nonce too low")
        if sent.max_fee < (self._chain.base_fee or 0):
            return SendAnswer(SendOutcome.FEE_TOO_LOW, "max fee per gas less than block base fee")
        if not self._chain.can_mine(sent, []):
            return SendAnswer(SendOutcome.NO_FUNDS, "insufficient funds for gas * price + value")
        self._chain.mine([sent], loop.time())
        return SendAnswer(SendOutcome.ACCEPTED)

    def knows(self, hash_: Hex, view: Block) -> bool:
        """Return whether a node whose newest block is `view` has a transaction."""
        return hash_ in view.receipts

    def pending(self, view: Block) -> int:
        """Return the wallet's count: nothing waits."""
        return view.count

    def forget(self, sent: Signed) -> None:
        """Lose nothing: what is executed is in a block."""

    def lose_all(self) -> None:
        """Lose nothing."""

    def give_back(self, removed: list[Signed]) -> None:
        """Take nothing back: who sent a transaction sends it again."""

    def mine(self, now: float) -> Block:
        """Return the head: a sequencer makes no empty blocks."""
        return self._chain.head
