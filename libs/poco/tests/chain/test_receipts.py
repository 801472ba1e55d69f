"""Waits for receipts: timeouts, cancellation, incomplete answers."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from workerpool_poco.chain.receipts import ReceiptTimeout, ReceiptWatcher
from workerpool_poco.protocol.ids import ZERO_ADDRESS

HASH = b"\x11" * 32
MINED = {
    "transactionHash": "0x" + HASH.hex(),
    "blockNumber": "0x1",
    "blockHash": "0x" + "22" * 32,
    "status": "0x1",
    "gasUsed": "0x1",
    "logs": [],
}


class Node:
    """A node that answers as the test says and counts its requests."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] | None = None
        self.asked = 0

    async def batch(self, calls: Sequence[object]) -> list[Any]:
        await asyncio.sleep(0)
        self.asked += len(calls)
        return [self.answer for _ in calls]


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def watcher(node: Any) -> ReceiptWatcher:
    return ReceiptWatcher(node, ZERO_ADDRESS)


async def test_a_wait_that_times_out_does_not_end_another(watcher: ReceiptWatcher, node: Node) -> None:
    patient = asyncio.create_task(watcher.wait(HASH, 10))
    with pytest.raises(ReceiptTimeout):
        await watcher.wait(HASH, 0.02)
    node.answer = MINED
    assert (await patient).block_number == 1


async def test_no_receipt_is_read_without_a_caller(watcher: ReceiptWatcher, node: Node) -> None:
    waiting = asyncio.create_task(watcher.wait(HASH, 10))
    while not node.asked:
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    asked = node.asked
    await asyncio.sleep(0.1)
    assert node.asked <= asked + 1
    node.answer = MINED
    assert (await watcher.wait(HASH, 10)).succeeded


@pytest.mark.parametrize("missing", ["status", "logs", "blockHash"])
async def test_an_incomplete_receipt_is_read_again(watcher: ReceiptWatcher, node: Node, missing: str) -> None:
    """Some nodes return a receipt while they write it; it must not block the other waits."""
    node.answer = {name: value for name, value in MINED.items() if name != missing}
    waiting = asyncio.create_task(watcher.wait(HASH, 5))
    async with asyncio.timeout(5):
        while node.asked < 2:
            await asyncio.sleep(0.001)
    node.answer = MINED
    assert (await waiting).succeeded
