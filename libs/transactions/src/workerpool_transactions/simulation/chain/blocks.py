"""The chain of a seed: blocks as snapshots of everything that a node reads, with reorganisations."""

from bisect import bisect_right
from dataclasses import dataclass
from random import Random

from workerpool_poco.protocol.ids import Hex
from workerpool_poco.protocol.model import Block as Head

from workerpool_transactions.domain.entry import Receipt
from workerpool_transactions.simulation.chain.signed import Signed
from workerpool_transactions.simulation.virtual_time import START

GAS_USED = 60_000


@dataclass(frozen=True, slots=True)
class Block:
    """The state after a block; `effects` counts the executions of each call's data that succeeded.

    `repeated` counts those that the contract reverted because the call's effect was there already.
    """

    number: int
    hash: bytes
    parent: "Block | None"
    time: float
    base_fee: int | None
    count: int
    balance: int
    receipts: dict[Hex, Receipt]
    mined: dict[int, Signed]
    effects: dict[bytes, int]
    repeated: int = 0
    deposited: int = 0
    """What the wallet has received."""

    @property
    def head(self) -> Head:
        """The block as services pass it to the pipeline."""
        parent = self.parent.hash if self.parent else b""
        return Head(self.number, self.hash, parent, int(START + self.time))


class Chain:
    """The blocks, and which of them was the head at any time (seconds of the loop)."""

    def __init__(self, random: Random, balance: int, base_fee: int | None) -> None:
        self._random = random
        self.base_fee = base_fee
        """Wei per gas of the next block; None on a chain without EIP-1559."""
        self.reverting: set[bytes] = set()
        """Data of the calls that revert."""
        genesis = Block(1, b"genesis", None, 0.0, base_fee, 0, balance, {}, {}, {})
        self._times = [0.0]
        self._heads = [genesis]
        self._forks = 0

    @property
    def head(self) -> Block:
        """The newest block of the branch that counts."""
        return self._heads[-1]

    def head_at(self, time: float) -> Block:
        """Return what was the newest block at a time: what a node that lags still answers from."""
        return self._heads[max(bisect_right(self._times, time) - 1, 0)]

    def refill(self, amount: int) -> None:
        """Send the wallet money, in a block of its own."""
        self._append(self.head, [], self.head.time, amount)

    def mine(self, transactions: list[Signed], now: float) -> Block:
        """Add a block with transactions that `can_mine`, in nonce order."""
        return self._append(self.head, transactions, now)

    def reorganise(self, depth: int, now: float) -> list[Signed]:
        """Remove the last blocks, add empty ones beyond their number, and return the removed transactions.

        Money that was sent to the wallet stays.
        """
        old = root = self.head
        length = root.number
        while root.parent is not None and length - root.number < depth:
            root = root.parent
        removed = [old.mined[nonce] for nonce in range(root.count, old.count)]
        self._forks += 1
        amount = old.deposited - root.deposited
        for _ in range(length - root.number + 1):
            root = self._append(root, [], now, amount)
            amount = 0
        return removed

    def _append(self, parent: Block, transactions: list[Signed], now: float, amount: int = 0) -> Block:
        number, count, repeated = parent.number + 1, parent.count, parent.repeated
        balance = parent.balance + amount
        hash_ = f"{self._forks}:{number}".encode()
        receipts, mined, effects = parent.receipts, parent.mined, parent.effects
        if transactions:
            receipts, mined, effects = dict(receipts), dict(mined), dict(effects)
        for each in transactions:
            succeeded = each.data not in self.reverting
            if not each.is_empty and effects.get(each.data):
                succeeded, repeated = False, repeated + 1
            if succeeded and not each.is_empty:
                effects[each.data] = 1
            receipts[each.hash] = Receipt(each.hash, succeeded, number, GAS_USED, Hex("0x" + hash_.hex()))
            mined[each.nonce] = each
            count += 1
            balance -= GAS_USED * each.price(self.base_fee) + (each.value if succeeded else 0)
        block = Block(
            number,
            hash_,
            parent,
            now,
            self.base_fee,
            count,
            balance,
            receipts,
            mined,
            effects,
            repeated,
            parent.deposited + amount,
        )
        self._times.append(now)
        self._heads.append(block)
        return block

    def can_mine(self, transaction: Signed, after: list[Signed]) -> bool:
        """Return whether the next block may hold a transaction after others."""
        spent = sum(each.cost for each in after)
        return (
            transaction.nonce == self.head.count + len(after)
            and (self.base_fee is None or transaction.max_fee >= self.base_fee)
            and transaction.cost + spent <= self.head.balance
        )
