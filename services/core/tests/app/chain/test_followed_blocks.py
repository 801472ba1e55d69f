"""The followed blocks tell a reorganisation from a node that lags behind."""

from collections.abc import Sequence
from typing import Any

from workerpool_core.app.chain.followed_blocks import FollowedBlocks
from workerpool_core.app.ports import Cursor
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.model import REORGANISATION_BLOCKS, Block


def block(number: int, branch: int = 0) -> Block:
    """Return block `number` of a branch; branches differ in every hash."""
    return Block(
        number, bytes([branch]) * 28 + number.to_bytes(4), bytes([branch]) * 28 + (number - 1).to_bytes(4), 0
    )


class Chain:
    """A node that knows some blocks."""

    def __init__(self, *blocks: Block) -> None:
        self._blocks = {known.number: known for known in blocks}

    async def blocks(self, numbers: Sequence[int]) -> list[Block | None]:
        return [self._blocks.get(number) for number in numbers]


def followed(*numbers: int) -> FollowedBlocks:
    """Return the state after some blocks of branch 0."""
    blocks = FollowedBlocks(Cursor(numbers[0] - 1, ""), REORGANISATION_BLOCKS)
    for number in numbers:
        blocks.advance(number, to_hex(block(number).hash))
    return blocks


async def ancestor(blocks: FollowedBlocks, *known: Block) -> Cursor | None:
    node: Any = Chain(*known)
    return await blocks.find_ancestor(node)


def test_the_next_block_must_be_a_child_of_the_position() -> None:
    blocks = followed(1, 2)
    assert blocks.is_child(block(3))
    assert not blocks.is_child(block(3, branch=1))


def test_every_block_is_a_child_while_the_hash_is_unknown() -> None:
    assert FollowedBlocks(Cursor(7, ""), REORGANISATION_BLOCKS).is_child(block(8, branch=1))


def test_a_block_with_the_number_of_a_followed_one_replaces_it() -> None:
    blocks = followed(1, 2)
    assert blocks.was_replaced_by(block(2, branch=1))
    assert not blocks.was_replaced_by(block(2))
    assert not blocks.was_replaced_by(block(3, branch=1))


async def test_the_ancestor_is_the_newest_block_that_both_branches_have() -> None:
    found = await ancestor(followed(1, 2, 3), block(1), block(2, branch=1), block(3, branch=1))
    assert found == Cursor(1, to_hex(block(1).hash))


async def test_a_lagging_node_proves_no_reorganisation() -> None:
    assert await ancestor(followed(1, 2, 3), block(1), block(2)) is None


async def test_a_reorganisation_beyond_the_known_blocks_goes_back_by_its_largest_depth() -> None:
    blocks = FollowedBlocks(Cursor(99, ""), REORGANISATION_BLOCKS)
    blocks.advance(100, to_hex(block(100).hash))
    assert await ancestor(blocks, block(100, branch=1)) == Cursor(100 - REORGANISATION_BLOCKS, "")


async def test_a_revert_forgets_the_later_blocks() -> None:
    blocks = followed(1, 2, 3)
    blocks.revert_to(Cursor(1, to_hex(block(1).hash)))
    assert blocks.position.number == 1
    assert not blocks.was_replaced_by(block(3, branch=1))
