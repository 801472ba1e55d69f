"""The use cases of one wallet over memory."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from workerpool_chain_adapter.app.pipeline import Pipeline, PipelineLimits
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind
from workerpool_chain_adapter.domain.fees import GasPolicy
from workerpool_kit.clock import FakeClock
from workerpool_poco.protocol.ids import TaskId

from services.chain_adapter.tests.doubles.chain import MemoryChain
from services.chain_adapter.tests.doubles.journals import MemoryCommandJournal, MemoryTransactionJournal


@dataclass
class World:
    """A chain, journals that survive the process, and the process: `restart` replaces it."""

    chain: MemoryChain = field(default_factory=MemoryChain)
    journal: MemoryCommandJournal = field(default_factory=MemoryCommandJournal)
    transactions: MemoryTransactionJournal = field(default_factory=MemoryTransactionJournal)
    clock: FakeClock = field(default_factory=FakeClock)
    policy: GasPolicy = field(default_factory=GasPolicy)
    max_in_flight: int = 5

    def __post_init__(self) -> None:
        self.pipeline = self._build()

    def _build(self) -> Pipeline:
        limits = PipelineLimits(self.policy, True, self.max_in_flight, 100)
        pipeline = Pipeline(
            journal=self.journal,
            transactions=self.transactions,
            chain=self.chain,
            heads=self.chain.heads,
            clock=self.clock,
            limits=limits,
        )
        self.follow(pipeline)
        return pipeline

    async def restart(self, policy: GasPolicy | None = None) -> None:
        """Replace the process by a new one that resumes from the journals."""
        self.policy = policy or self.policy
        self.pipeline = self._build()
        await self.pipeline.resume()

    def follow(self, pipeline: Pipeline | None = None) -> None:
        """Let the process see the latest head."""
        head = self.chain.heads.latest
        assert head is not None
        (pipeline or self.pipeline).mined.follow(head)

    async def claim(self, number: int = 1) -> Command:
        """Request the claim of a task."""
        return await self.pipeline.commands.claim(task(number))

    async def sent(self, number: int = 1) -> Command:
        """Request a claim and send its transaction."""
        await self.claim(number)
        await self.pipeline.sender.round()
        return await self.command(number)

    async def done(self, number: int = 1) -> Command:
        """Bring a claim to SUCCESS."""
        await self.sent(number)
        await self.block()
        return await self.command(number)

    async def block(self, blocks: int = 1, *, empty: bool = False) -> None:
        """Mine blocks, and let the tracker look after each."""
        for _ in range(blocks):
            self.chain.mine(empty=empty)
            self.follow()
            await self.pipeline.tracker.look()

    async def command(self, number: int = 1) -> Command:
        """Return the claim of a task as it is now."""
        return await self.pipeline.commands.get(CommandKey(task(number), CommandKind.CLAIM))


def task(number: int) -> TaskId:
    return TaskId("0x" + f"{number:02x}" * 32)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def build_world() -> Callable[..., World]:
    return World
