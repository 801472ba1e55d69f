"""A pipeline over a scripted node, with everything that its caller received."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from workerpool_poco.protocol.model import Block
from workerpool_transactions.adapters.asyncio_timer import AsyncioTimer
from workerpool_transactions.adapters.memory_journal import MemoryJournal
from workerpool_transactions.app.context import Context
from workerpool_transactions.app.fees import Fees
from workerpool_transactions.app.pipeline import Pipeline
from workerpool_transactions.domain.entry import Call, Entry
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import ChainProfile, Shape
from workerpool_transactions.domain.queue import Queue

from libs.transactions.tests.doubles.node import WALLET, PlainSigner, ScriptedNode
from libs.transactions.tests.doubles.virtual_time import LoopClock

HUB = "0x5FbDB2315678afecb367f032d93F642f64180aa3"


class Wallet:
    """One wallet: the pipeline under test, its ports, and the arguments of `settle` and `restore`."""

    def __init__(
        self, shape: Shape = Shape.MEMPOOL, policy: FeePolicy = FeePolicy(), max_in_flight: int = 64
    ) -> None:
        self.node = ScriptedNode()
        self.journal = MemoryJournal()
        self.settled: list[Entry] = []
        self.restored: list[Entry] = []
        self.shape, self.policy, self.max_in_flight = shape, policy, max_in_flight
        self.pipeline = self._pipeline()

    def _pipeline(self) -> Pipeline:
        return Pipeline(
            node=self.node,
            journal=self.journal,
            signer=PlainSigner(),
            clock=LoopClock(),
            timer=AsyncioTimer(),
            policy=self.policy,
            profile=ChainProfile(self.shape),
            settle=self.settle,
            restore=self.restore,
            block_time_s=1.0,
            max_in_flight=self.max_in_flight,
        )

    def context(self) -> Context:
        """Return what the parts of a pipeline share, without a pipeline."""
        timer = AsyncioTimer()
        return Context(
            node=self.node,
            journal=self.journal,
            signer=PlainSigner(),
            clock=LoopClock(),
            timer=timer,
            policy=self.policy,
            profile=ChainProfile(self.shape),
            settle=self.settle,
            restore=self.restore,
            block_time_s=1.0,
            queue=Queue(self.max_in_flight),
            fees=Fees(self.node, timer),
        )

    async def settle(self, entries: Sequence[Entry]) -> None:
        self.settled += entries

    async def restore(self, entries: Sequence[Entry]) -> None:
        self.restored += entries

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Pipeline]:
        """Run a fresh pipeline on the same journal, as after a restart."""
        self.pipeline = self._pipeline()
        await self.pipeline.resume()
        actor = asyncio.create_task(self.pipeline.run())
        try:
            yield self.pipeline
        finally:
            actor.cancel()
            with suppress(asyncio.CancelledError):
                await actor

    def head(self) -> Block:
        """Return the node's head."""
        number, fork = self.node.block, self.node.fork
        return Block(number, f"{fork}{number}".encode(), f"{fork}{number - 1}".encode(), number)

    async def until(self, condition: Callable[[], bool], limit_s: float = 120.0) -> float:
        """Wait until a condition holds; return how many (virtual) seconds that took."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        while not condition():
            assert loop.time() - start < limit_s, "the condition did not come true"
            await asyncio.sleep(0.01)
        return loop.time() - start


def call(number: int) -> Call:
    """Return a call that can be told from others."""
    return Call(HUB, bytes([number % 256, number // 256]), 100_000, (f"work {number}",))


__all__ = ["HUB", "WALLET", "Wallet", "call"]
