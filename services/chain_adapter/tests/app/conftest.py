"""The use cases of one wallet over memory, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from workerpool_chain_adapter.app.assembly import Assembly, Limits
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.model import Block
from workerpool_transactions.adapters.asyncio_timer import AsyncioTimer
from workerpool_transactions.adapters.memory_journal import MemoryJournal
from workerpool_transactions.domain.entry import Entry
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import ChainProfile, Shape

from libs.transactions.tests.doubles.node import PlainSigner
from libs.transactions.tests.doubles.virtual_time import LoopClock, VirtualTimeLoop
from services.chain_adapter.tests.doubles.chain import MemoryChain
from services.chain_adapter.tests.doubles.journals import MemoryCommandJournal

HUB = "0x5FbDB2315678afecb367f032d93F642f64180aa3"


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give each test of this folder an event loop whose time jumps to the next timer."""
    return {"virtual time": VirtualTimeLoop}


@dataclass
class World:
    """A chain, journals that survive the process, and the process: `restart` replaces it.

    The pipeline runs in the background; a test submits by `round`.
    """

    chain: MemoryChain = field(default_factory=MemoryChain)
    journal: MemoryCommandJournal = field(default_factory=MemoryCommandJournal)
    entries: MemoryJournal = field(default_factory=MemoryJournal)
    policy: FeePolicy = field(default_factory=FeePolicy)
    max_in_flight: int = 5

    def __post_init__(self) -> None:
        self.clock = LoopClock()
        self.assembly = self._build()
        self._running: asyncio.Task[None] | None = None

    def _build(self) -> Assembly:
        return Assembly(
            hub=HUB,
            journal=self.journal,
            entries=self.entries,
            chain=self.chain,
            node=self.chain,
            signer=PlainSigner(),
            clock=self.clock,
            timer=AsyncioTimer(),
            limits=Limits(self.policy, ChainProfile(Shape.MEMPOOL), self.max_in_flight, 1.0, 200_000),
        )

    async def start(self) -> None:
        """Resume from the journals, and run the pipeline."""
        await self.assembly.resume()
        self.follow()
        self._running = asyncio.create_task(self.assembly.pipeline.run())

    async def stop(self) -> None:
        """End the process at whatever it does."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    async def restart(self) -> None:
        """Replace the process by a new one that resumes from the journals."""
        await self.stop()
        self.assembly = self._build()
        await self.start()

    def follow(self) -> None:
        """Let the process see the newest head."""
        number, fork = self.chain.block, self.chain.fork
        head = Block(number, f"{fork}{number}".encode(), f"{fork}{number - 1}".encode(), number)
        self.assembly.pipeline.head_changed(head)

    async def claim(self, number: int = 1) -> Command:
        """Request the claim of a task."""
        return await self.assembly.commands.claim(task(number))

    async def round(self) -> None:
        """Submit what waits."""
        await self.assembly.submitter.round()

    async def sent(self, number: int = 1) -> Command:
        """Request a claim, and wait until the node has its transaction."""
        await self.claim(number)
        await self.round()
        command = await self.command(number)
        await self.until(lambda: bool(self.in_pool(command)))
        return await self.command(number)

    async def done(self, number: int = 1) -> Command:
        """Bring a claim to SUCCESS."""
        await self.sent(number)
        await self.block()
        return await self.command(number)

    def in_pool(self, command: Command) -> list[int]:
        """Return the nonces of a command's transaction in the node's pool."""
        return [
            each.nonce
            for each in self.entries.entries.values()
            if self.chain.pool.get(each.nonce) in [version.raw for version in each.versions]
            and command.transaction_hash in [version.hash for version in each.versions]
        ]

    async def block(self) -> None:
        """Mine a block, and wait until the process has seen everything that is mined."""
        self.chain.mine()
        self.follow()
        await self.until(lambda: not [each for each in self.live() if each.nonce < len(self.chain.mined)])

    def live(self) -> list[Entry]:
        """Return the journal's entries that have not ended, by nonce."""
        return [each for _, each in sorted(self.entries.entries.items()) if each.is_live]

    async def until(self, condition: Callable[[], bool], limit_s: float = 120.0) -> None:
        """Wait for a condition, in virtual time."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        while not condition():
            assert loop.time() - start < limit_s, "the condition did not come true"
            await asyncio.sleep(0.01)

    async def command(self, number: int = 1) -> Command:
        """Return the claim of a task as it is now."""
        return await self.assembly.commands.get(CommandKey(task(number), CommandKind.CLAIM))


def task(number: int) -> TaskId:
    return TaskId("0x" + f"{number:02x}" * 32)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.start()
    yield world
    await world.stop()
