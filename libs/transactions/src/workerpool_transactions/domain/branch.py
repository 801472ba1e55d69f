"""The branch of the chain that the heads follow."""

from enum import Enum

from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.model import Block

from workerpool_transactions.domain.entry import Receipt

_KEPT_BLOCKS = 256


class Step(Enum):
    """How a head relates to those before it."""

    FIRST = "first"
    """No head was seen before."""
    SAME = "same"
    """It was seen before, possibly from a node that lags."""
    CHILD = "child"
    """It is the child of the newest."""
    SKIPPED = "skipped"
    """Heads between were not seen: a reorganisation is possible, not likely."""
    CONTRADICTS = "contradicts"
    """It is on another branch: blocks were reorganised."""


class Branch:
    """The hashes of the newest blocks, as far as heads reported them."""

    def __init__(self) -> None:
        self.newest: Block | None = None
        """The newest head."""
        self._hashes: dict[int, bytes] = {}

    def follow(self, head: Block) -> Step:
        """Take a new head."""
        step = self._step(head)
        if step is Step.SAME:
            return step
        if step in (Step.CONTRADICTS, Step.SKIPPED):
            # Which of the blocks below are still there is not known.
            self._hashes.clear()
        self.newest = head
        self._hashes[head.number - 1] = head.parent_hash
        self._hashes[head.number] = head.hash
        for number in [each for each in self._hashes if each < head.number - _KEPT_BLOCKS]:
            del self._hashes[number]
        return step

    def _step(self, head: Block) -> Step:
        if self.newest is None:
            return Step.FIRST
        if self._hashes.get(head.number) == head.hash:
            return Step.SAME
        if head.number > self.newest.number + 1:
            return Step.SKIPPED
        if head.number == self.newest.number + 1 and head.parent_hash == self.newest.hash:
            return Step.CHILD
        return Step.CONTRADICTS

    def holds(self, receipt: Receipt | None) -> bool | None:
        """Return whether a receipt is of this branch; None when its block was not seen."""
        known = self._hashes.get(receipt.block_number) if receipt else None
        if receipt is None or known is None or not receipt.block_hash:
            return None
        return to_hex(known) == receipt.block_hash
