"""When mined transactions are compared with the chain, and for how long they are watched."""

from collections.abc import Sequence
from typing import Any

import pytest
from workerpool_chain_adapter.app.mined import Mined
from workerpool_chain_adapter.domain.transaction import (
    JournaledTransaction,
    Receipt,
    TransactionState,
    Version,
)
from workerpool_kit.clock import SystemClock
from workerpool_poco.errors import ChainUnreachable
from workerpool_poco.protocol.model import REORGANISATION_BLOCKS, Block


def head(number: int, branch: int = 0, parent_branch: int | None = None) -> Block:
    def name(height: int, of: int) -> bytes:
        return bytes([of]) + height.to_bytes(31, "big")

    parent = name(number - 1, branch if parent_branch is None else parent_branch)
    return Block(number, name(number, branch), parent, number)


def mined_in(block: int, nonce: int = 0) -> JournaledTransaction:
    pending = JournaledTransaction(nonce, (), b"", 1, (Version(f"0x{nonce:064x}", b"", 1),), 0.0, block)
    return pending.ended(TransactionState.MINED, block)


class Chain:
    """Returns receipts that match the journal, and records the requests."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.reachable = True

    async def receipts(self, transactions: Sequence[JournaledTransaction]) -> dict[int, Receipt]:
        if not self.reachable:
            raise ChainUnreachable("no node")
        self.asked.append([each.nonce for each in transactions])
        return {each.nonce: Receipt(each.latest.hash, True, each.block_number, 1) for each in transactions}


@pytest.fixture
def chain() -> Chain:
    return Chain()


@pytest.fixture
async def mined(chain: Chain) -> Mined:
    """Return an empty watch, at block 10."""
    unused: Any = None
    around: Any = chain
    mined = Mined(
        commands=unused,
        transactions=unused,
        active=unused,
        chain=around,
        in_flight=unused,
        clock=SystemClock(),
    )
    mined.follow(head(10))
    await mined.look()
    chain.asked.clear()
    return mined


def test_heads_that_continue_the_chain_raise_no_doubt(mined: Mined) -> None:
    for number in range(11, 200):
        mined.follow(head(number))
        assert not mined.in_doubt


@pytest.mark.parametrize(
    "other",
    [head(11, 1, 0), head(10, 1), head(9, 1), head(12, 1), head(13)],
    ids=["a sibling", "a cousin", "one further back", "one further on", "one after a gap"],
)
def test_a_head_that_may_not_continue_the_chain_raises_a_doubt(mined: Mined, other: Block) -> None:
    mined.follow(head(11))
    assert not mined.in_doubt
    mined.follow(other)
    assert mined.in_doubt


def doubts(mined: Mined) -> bool:
    """Read the property anew, which mypy assumes to be unchanged."""
    return mined.in_doubt


async def test_a_doubt_remains_until_the_node_answers(mined: Mined, chain: Chain) -> None:
    mined.watch([mined_in(10)])
    mined.follow(head(11, 1))
    chain.reachable = False
    with pytest.raises(ChainUnreachable):
        await mined.look()
    assert mined.in_doubt
    chain.reachable = True
    await mined.look()
    assert not doubts(mined)
    assert chain.asked == [[0]]


async def test_a_transaction_that_is_deep_enough_is_not_watched(mined: Mined, chain: Chain) -> None:
    mined.watch([mined_in(10, nonce=0), mined_in(11, nonce=1)])
    for number in range(11, 11 + REORGANISATION_BLOCKS + 1):
        mined.follow(head(number))
    await mined.look()
    assert chain.asked == [[1]]


async def test_a_transaction_that_became_deep_during_an_outage_is_compared_once_more(
    mined: Mined, chain: Chain
) -> None:
    mined.watch([mined_in(10)])
    mined.follow(head(10 + 2 * REORGANISATION_BLOCKS))
    await mined.look()
    await mined.look()
    assert chain.asked == [[0], []]


async def test_a_transaction_that_reverted_is_not_watched(mined: Mined, chain: Chain) -> None:
    mined.watch([mined_in(10).ended(TransactionState.REVERTED, 10)])
    await mined.look()
    assert chain.asked == [[]]
