"""The supply of the pool with the block up to which it counts deals, streamed to the order publisher."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from workerpool_core.app.chain.chain_follower import ChainFollower
from workerpool_core.app.engine.engine import Engine
from workerpool_core.domain.dispatch.pool_supply import PoolSupply

PERIOD_S = 1.0
"""Seconds between two computations, and so between two messages; each visits every worker and live task."""


@dataclass(frozen=True, slots=True)
class SupplyAtBlock:
    """The supply after every deal up to the block `cursor`, and perhaps some later ones."""

    supply: PoolSupply
    cursor: int


class SupplyView:
    """The supply, computed on request."""

    def __init__(self, engine: Engine, follower: ChainFollower, period_s: float = PERIOD_S) -> None:
        self._engine = engine
        self._follower = follower
        self._period_s = period_s

    def now(self, worker_stake: int) -> SupplyAtBlock:
        """Return the supply for tasks that each lock `worker_stake` nRLC of their worker."""
        # The scheduler takes the deals of a block before the follower moves to that block.
        cursor = max(self._follower.position.number, 0)
        return SupplyAtBlock(self._engine.supply(worker_stake), cursor)

    async def follow(self, worker_stake: int) -> AsyncIterator[SupplyAtBlock]:
        """Yield the supply immediately, and after each change, at most once a period."""
        last: SupplyAtBlock | None = None
        while True:
            current = self.now(worker_stake)
            if current != last:
                last = current
                yield current
            await asyncio.sleep(self._period_s)
