"""The hub is read at core's block; a node that lacks the block is an outage."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from workerpool_order_publisher.adapters.hub_chain import HubChain
from workerpool_order_publisher.app.ports import ChainOutage, Settled
from workerpool_poco.errors import ChainUnreachable

HASH = "0x" + "11" * 32


class Hub:
    """Answers like the client of the hub."""

    def __init__(self) -> None:
        self.blocks: list[int | None] = []
        self.lost = False
        self.rpc = SimpleNamespace(call=self.call)

    async def call(self, method: str) -> str:
        self._reach()
        assert method == "eth_blockNumber"
        return "0x10"

    async def call_many(
        self, function: Any, arguments: Sequence[Any], *, block: int | None = None
    ) -> list[tuple[Any, ...]]:
        self._reach()
        self.blocks.append(block)
        answers = {"viewConsumed": (3,), "viewAccount": ((70, 5),)}
        return [answers[function.name] for _ in arguments]

    def _reach(self) -> None:
        if self.lost:
            raise ChainUnreachable("the node is down")


async def test_volumes_and_stake_are_those_of_the_block() -> None:
    hub: Any = Hub()
    chain = HubChain(hub, "0x" + "22" * 20)
    assert await chain.head() == 16
    assert await chain.settle([HASH], 12) == Settled({HASH: 3}, 70)
    assert hub.blocks == [12, 12]


async def test_a_node_that_does_not_answer_is_an_outage() -> None:
    hub: Any = Hub()
    hub.lost = True
    chain = HubChain(hub, "0x" + "22" * 20)
    with pytest.raises(ChainOutage, match="the node is down"):
        await chain.head()
    with pytest.raises(ChainOutage, match="block 12 cannot be read"):
        await chain.settle([HASH], 12)
