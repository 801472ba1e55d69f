"""Block production: blocks only with transactions, at a base fee that the proxy sets."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable

from sequencer.behaviour import Behaviour
from sequencer.errors import NodeGone, RpcError
from sequencer.upstream import Upstream

_LOOK_S = 0.05
_TAKE_OVER_S = 1.0


class Blocks:
    """Mines pending transactions once per block time, and tells of each new block.

    A devnet that mines by itself is stopped from it once a second. Without a block time, the blocks are anvil's.
    """

    def __init__(self, node: Upstream, behaviour: Callable[[], Behaviour], chance: random.Random) -> None:
        self._node = node
        self._behaviour = behaviour
        self._chance = chance
        self._mined = asyncio.Event()
        self._base_fee_set = 0
        self.base_fee = 0
        """Base fee of the next block in wei; 0 when the proxy does not set it."""
        self.filling = asyncio.Lock()
        """Held while a block is mined, so that no transaction arrives in the middle."""

    async def begin(self) -> None:
        """Stop a devnet from mining by itself, before the first transaction arrives."""
        if self._behaviour().block_time_s:
            with contextlib.suppress(NodeGone, RpcError):
                await self._take_over()

    async def run(self) -> None:
        """Produce blocks until cancelled; an anvil that is away is waited for."""
        taken_over_at, number = 0.0, -1
        clock = asyncio.get_running_loop().time
        while True:
            behaviour = self._behaviour()
            await asyncio.sleep(behaviour.block_time_s or _LOOK_S)
            with contextlib.suppress(NodeGone, RpcError):
                if behaviour.block_time_s:
                    if clock() - taken_over_at > _TAKE_OVER_S:
                        await self._take_over()
                        taken_over_at = clock()
                    await self._tick(behaviour)
                elif (head := await self._node.number("eth_blockNumber")) != number:
                    number, self.base_fee = head, 0
                    self._tell()

    async def next_block(self, timeout: float) -> None:
        """Wait for the next block, at most `timeout` seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._mined.wait(), timeout)

    async def _take_over(self) -> None:
        await self._node.call("evm_setAutomine", False)
        await self._node.call("evm_setIntervalMining", 0)

    async def _tick(self, behaviour: Behaviour) -> None:
        async with self.filling:
            pool = await self._node.call("txpool_status")
            mined = int(pool["pending"], 16) > 0
            if mined:
                await self._node.call("anvil_mine", "0x1")
            fee = self._fee(behaviour)
            # anvil computes the fee of the block after the next one by itself.
            if fee and (mined or fee != self._base_fee_set):
                await self._node.call("anvil_setNextBlockBaseFeePerGas", hex(fee))
                self._base_fee_set = fee
            self.base_fee = fee
        if mined:
            self._tell()

    def _fee(self, behaviour: Behaviour) -> int:
        raised = self._chance.random() < behaviour.spike_probability
        return behaviour.base_fee_wei * (100 + behaviour.spike_percent * raised) // 100

    def _tell(self) -> None:
        self._mined.set()
        self._mined = asyncio.Event()
