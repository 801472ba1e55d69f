"""The newest followed blocks, which distinguish a reorganisation from a node that lags."""

from collections import OrderedDict

from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.model import Block

from workerpool_core.app.ports import BlockReader, Cursor

_FIRST_STEP = 4
"""Blocks that a search for an ancestor reads first; most reorganisations are shallow."""


class FollowedBlocks:
    """The position of a follower, and the hashes of the newest followed blocks, one for each poll.

    `depth` is the number of blocks that a reorganisation may replace.
    """

    def __init__(self, position: Cursor, depth: int) -> None:
        self._depth = depth
        self._hashes: OrderedDict[int, str] = OrderedDict()
        self.position = position
        self._remember(position)

    def advance(self, number: int, block_hash: str) -> None:
        """Move the position to a block whose events were all submitted."""
        self.position = Cursor(number, block_hash)
        self._remember(self.position)

    def revert_to(self, ancestor: Cursor) -> None:
        """Move the position back, and drop the blocks after it."""
        kept = {number: known for number, known in self._hashes.items() if number <= ancestor.number}
        self._hashes = OrderedDict(kept)
        self.position = ancestor
        self._remember(ancestor)

    def is_child(self, block: Block) -> bool:
        """Return whether a block's parent is the position; True while the position's hash is unknown."""
        return not self.position.hash or to_hex(block.parent_hash) == self.position.hash

    def is_position(self, block: Block | None) -> bool:
        """Return whether a block, read by the position's number, is the position; True while the hash is unknown."""
        return not self.position.hash or (block is not None and to_hex(block.hash) == self.position.hash)

    def was_replaced_by(self, block: Block) -> bool:
        """Return whether another block with the same number was followed."""
        known = self._hashes.get(block.number)
        return known is not None and known != to_hex(block.hash)

    async def find_ancestor(self, reader: BlockReader) -> Cursor | None:
        """Return the newest followed block that is still on the chain; None when no later one was replaced.

        Only another block with the same number proves a removal, because a lagging node does not know the newest ones.
        Raises PocoError.
        """
        numbers = sorted(self._hashes, reverse=True)
        replaced, count = False, _FIRST_STEP
        while numbers:
            step, numbers, count = numbers[:count], numbers[count:], 4 * count
            for number, block in zip(step, await reader.blocks(step), strict=True):
                if block is None:
                    continue
                if to_hex(block.hash) == self._hashes[number]:
                    return Cursor(number, self._hashes[number]) if replaced else None
                replaced = True
        # The reorganisation is deeper than the known blocks, or only the cursor is known after a start. Effects are
        # idempotent, so following blocks again is harmless.
        return Cursor(max(self.position.number - self._depth, -1), "") if replaced else None

    def _remember(self, position: Cursor) -> None:
        if position.hash:
            self._hashes[position.number] = position.hash
            while len(self._hashes) > self._depth + 1:
                self._hashes.popitem(last=False)
