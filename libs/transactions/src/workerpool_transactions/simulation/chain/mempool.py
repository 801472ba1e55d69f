"""How a node with a pool takes transactions: it keeps them, with gaps, until a block has room."""

from random import Random

from workerpool_poco.protocol.ids import Hex

from workerpool_transactions.domain.answers import SendAnswer, SendOutcome
from workerpool_transactions.simulation.chain.blocks import Block, Chain
from workerpool_transactions.simulation.chain.signed import Signed

ACCEPTED = SendAnswer(SendOutcome.ACCEPTED)
_BUMP_PERCENT = 10


class Mempool:
    """The transactions that wait for a block; back-ends that lag share it. Implements `Intake`."""

    def __init__(self, random: Random, chain: Chain) -> None:
        self._random = random
        self._chain = chain
        self._waiting: dict[int, Signed] = {}
        # Geth keeps what is below the base fee; anvil and some providers refuse it.
        self._refuses_below_base_fee = random.random() < 0.5
        self._sums_costs = random.random() < 0.5
        self._block_size = random.choice((2, 5, 100))

    async def take(self, sent: Signed, view: Block) -> SendAnswer:
        """Answer a transaction as a node whose newest block is `view`."""
        if sent.hash in view.receipts or self._is_waiting(sent):
            return SendAnswer(SendOutcome.ACCEPTED, "already known")
        if sent.nonce < view.count:
            return SendAnswer(SendOutcome.NONCE_TOO_LOW, "nonce too low")
        if (answer := self._judge_offer(sent, view)) is not None:
            return answer
        if sent.nonce >= self._chain.head.count:
            # A node that lags accepts a used nonce too, and drops it later.
            self._waiting[sent.nonce] = sent
        return ACCEPTED

    def _judge_offer(self, sent: Signed, view: Block) -> SendAnswer | None:
        others = sum(each.cost for each in self._waiting.values() if each.nonce != sent.nonce)
        if sent.cost + (others if self._sums_costs else 0) > view.balance:
            return SendAnswer(SendOutcome.NO_FUNDS, "insufficient funds for gas * price + value")
        if self._refuses_below_base_fee and sent.max_fee < (view.base_fee or 0):
            return SendAnswer(SendOutcome.FEE_TOO_LOW, "max fee per gas less than block base fee")
        held = self._waiting.get(sent.nonce)
        if held is not None and not _replaces(sent, held):
            return SendAnswer(SendOutcome.REPLACEMENT_TOO_LOW, "replacement transaction underpriced")
        return None

    def _is_waiting(self, sent: Signed) -> bool:
        held = self._waiting.get(sent.nonce)
        return held is not None and held.hash == sent.hash

    def knows(self, hash_: Hex, view: Block) -> bool:
        """Return whether a node whose newest block is `view` has a transaction, mined or waiting."""
        # What is mined beyond the view still waits there.
        return (
            hash_ in view.receipts
            or hash_ in self._chain.head.receipts
            or any(each.hash == hash_ for each in self._waiting.values())
        )

    def pending(self, view: Block) -> int:
        """Return the wallet's count with the pool."""
        nonce = view.count
        while nonce in self._waiting or nonce < self._chain.head.count:
            nonce += 1
        return nonce

    def forget(self, sent: Signed) -> None:
        """Lose one transaction."""
        if self._is_waiting(sent):
            del self._waiting[sent.nonce]

    def lose_all(self) -> None:
        """Lose the whole pool, as a node that restarts."""
        self._waiting.clear()

    def give_back(self, removed: list[Signed]) -> None:
        """Take transactions that a reorganisation removed."""
        self._waiting = {each.nonce: each for each in removed} | self._waiting

    def mine(self, now: float) -> Block:
        """Mine a block of what waits and can pay."""
        chosen = list[Signed]()
        nonce = self._chain.head.count
        while len(chosen) < self._block_size and (each := self._waiting.get(nonce)) is not None:
            if not self._chain.can_mine(each, chosen):
                break
            chosen.append(each)
            nonce += 1
        block = self._chain.mine(chosen, now)
        self._waiting = {n: each for n, each in self._waiting.items() if n >= block.count}
        return block


def _replaces(sent: Signed, held: Signed) -> bool:
    def least(offer: int) -> int:
        return offer + max(-(-offer * _BUMP_PERCENT // 100), 1)

    if sent.max_fee < least(held.max_fee):
        return False
    return sent.tip is None or held.tip is None or sent.tip >= least(held.tip)
