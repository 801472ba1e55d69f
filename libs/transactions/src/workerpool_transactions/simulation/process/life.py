"""One life of the process: a pipeline whose ports stop to work when it is killed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from workerpool_poco.protocol.ids import Hex

from workerpool_transactions.adapters.asyncio_timer import AsyncioTimer
from workerpool_transactions.app.pipeline import Pipeline
from workerpool_transactions.domain.answers import Counts, FeeQuote, GasEstimate, SendAnswer
from workerpool_transactions.domain.entry import Call, Entry, Receipt
from workerpool_transactions.domain.profile import ChainProfile
from workerpool_transactions.ports import Journal, Node
from workerpool_transactions.simulation.chain.signed import SimulatedSigner
from workerpool_transactions.simulation.checks.violation import Violation
from workerpool_transactions.simulation.environment import Environment
from workerpool_transactions.simulation.process.journal import SimulatedJournal
from workerpool_transactions.simulation.terms import POLICY, WINDOW
from workerpool_transactions.simulation.virtual_time import LoopClock

T = TypeVar("T")
Notify = Callable[[Sequence[Entry]], Awaitable[None]]


class Life:
    """A process from its start to a kill -9, which may come between any two steps.

    A step is the moment before, and the moment after, each read, write and send.
    """

    def __init__(self, environment: Environment, kill_after: int | None = None) -> None:
        self._environment = environment
        self._steps_left = kill_after
        self._tasks = list[asyncio.Task[None]]()
        self.killed = asyncio.Event()

    @property
    def is_dead(self) -> bool:
        """Whether it was killed."""
        return self.killed.is_set()

    def kill(self, why: str) -> None:
        """Kill it: from now on it reads, writes and sends nothing."""
        if not self.is_dead:
            self._environment.note("process.killed", why=why)
            self.killed.set()

    def step(self) -> None:
        """Mark a step of this process, at which it may be killed."""
        if not self.is_dead and self._steps_left is not None and self._environment.has_faults:
            self._steps_left -= 1
            if self._steps_left <= 0:
                self.kill("step")
        if self.is_dead:
            raise asyncio.CancelledError

    async def stepping(self, work: Awaitable[T]) -> T:
        """Do one piece of work between two steps."""
        try:
            self.step()
        except asyncio.CancelledError:
            close = getattr(work, "close", None)
            if close is not None:
                close()
            raise
        result = await work
        self.step()
        return result

    def start(self, work: Awaitable[None], name: str) -> None:
        """Run a task of this process, which ends only with it."""
        self._tasks.append(asyncio.ensure_future(self._forever(work, name)))

    async def _forever(self, work: Awaitable[None], name: str) -> None:
        try:
            await work
        except Exception as error:
            self._environment.fail(error)
            raise
        if not self.is_dead:
            self._environment.fail(Violation(f"{name} ended by itself"))

    async def clean(self) -> None:
        """Remove what is left of a killed process."""
        for task in self._tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks, return_exceptions=True)


class LifeNode:
    """The node, as one life reaches it. Implements `Node`."""

    def __init__(self, life: Life, node: Node) -> None:
        self._life = life
        self._node = node

    async def counts(self) -> Counts:
        """Read the wallet's transaction counts."""
        return await self._life.stepping(self._node.counts())

    async def look(self, hashes: Sequence[Hex]) -> tuple[Counts, dict[Hex, Receipt]]:
        """Read the counts and then receipts."""
        return await self._life.stepping(self._node.look(hashes))

    async def send(self, raw: bytes) -> SendAnswer:
        """Send one signed transaction."""
        return await self._life.stepping(self._node.send(raw))

    async def receipts(self, hashes: Sequence[Hex]) -> dict[Hex, Receipt]:
        """Return receipts."""
        return await self._life.stepping(self._node.receipts(hashes))

    async def known(self, hashes: Sequence[Hex]) -> set[Hex]:
        """Return the known transactions."""
        return await self._life.stepping(self._node.known(hashes))

    async def quote(self) -> FeeQuote:
        """Read today's fees."""
        return await self._life.stepping(self._node.quote())

    async def balance(self) -> int:
        """Read the wallet's balance."""
        return await self._life.stepping(self._node.balance())

    async def estimate(self, calls: Sequence[Call]) -> list[GasEstimate]:
        """Estimate gas."""
        return await self._life.stepping(self._node.estimate(calls))


class LifeJournal:
    """The journal, as one life reaches it. Implements `Journal`."""

    def __init__(self, life: Life, journal: Journal) -> None:
        self._life = life
        self._journal = journal

    async def add(self, entries: Sequence[Entry]) -> None:
        """Add new entries."""
        await self._life.stepping(self._journal.add(entries))

    async def save(self, entries: Sequence[Entry]) -> None:
        """Write entries."""
        await self._life.stepping(self._journal.save(entries))

    async def live(self) -> list[Entry]:
        """Return the live entries."""
        return await self._life.stepping(self._journal.live())

    async def ended(self, first: int, before: int | None) -> list[Entry]:
        """Return ended entries."""
        return await self._life.stepping(self._journal.ended(first, before))

    async def last_mined(self, since: float) -> list[Entry]:
        """Return the entries mined last."""
        return await self._life.stepping(self._journal.last_mined(since))

    async def labelled(self, label: str) -> list[Entry]:
        """Return the entries of a label."""
        return await self._life.stepping(self._journal.labelled(label))

    async def highest_nonce(self) -> int | None:
        """Return the highest nonce."""
        return await self._life.stepping(self._journal.highest_nonce())


def pipeline_of(
    life: Life,
    environment: Environment,
    node: Node,
    journal: SimulatedJournal,
    settle: Notify,
    restore: Notify,
) -> Pipeline:
    """Return the pipeline under test."""
    return Pipeline(
        node=LifeNode(life, node),
        journal=LifeJournal(life, journal),
        signer=SimulatedSigner(),
        clock=LoopClock(),
        timer=AsyncioTimer(),
        policy=POLICY[environment.shape],
        profile=ChainProfile(environment.shape),
        settle=settle,
        restore=restore,
        block_time_s=environment.block_time_s,
        max_in_flight=WINDOW,
    )
