"""The caller of a seed: work that needs transactions, and decides as the services do when one has no effect."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from workerpool_transactions.app.pipeline import Pipeline
from workerpool_transactions.domain.entry import Call, Entry, EntryState
from workerpool_transactions.simulation.chain.blocks import Chain
from workerpool_transactions.simulation.chain.signed import CONTRACT
from workerpool_transactions.simulation.checks.invariants import Checks
from workerpool_transactions.simulation.environment import Environment
from workerpool_transactions.simulation.process.journal import SimulatedJournal
from workerpool_transactions.simulation.process.life import Life, LifeJournal
from workerpool_transactions.simulation.terms import GAS

_MAX_REVERTS = 2


class Kind(Enum):
    """How the chain takes a call: it succeeds, reverts, or is refused for itself by every node."""

    GOOD = "good"
    REVERTS = "reverts"
    INVALID = "invalid"


@dataclass(slots=True)
class Job:
    """Work that needs one transaction. `outcome` and `block` survive a kill -9: the caller's own store has them."""

    labels: tuple[str, ...]
    kind: Kind
    at: float
    outcome: EntryState | None = None
    """How its transaction ended; MINED also when the effect was found on chain."""
    settled: Entry | None = None
    reverts: int = 0
    reopened: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def call(self) -> Call:
        """Its call."""
        return Call(CONTRACT, self.data, GAS, self.labels)

    @property
    def data(self) -> bytes:
        """Data of the call; the same for every attempt."""
        return " ".join(self.labels).encode()


class Caller:
    """The jobs of a seed, and what is stored about them."""

    def __init__(self, environment: Environment, chain: Chain, checks: Checks, jobs: Sequence[Job]) -> None:
        self._environment = environment
        self._chain = chain
        self._checks = checks
        self.jobs = jobs
        self._by_label = {label: job for job in jobs for label in job.labels}

    def start(self, life: Life, pipeline: Pipeline, journal: SimulatedJournal) -> None:
        """Work on every job in a life."""
        for job in self.jobs:
            life.start(self._work(life, pipeline, LifeJournal(life, journal), job), f"job {job.labels}")

    async def settle(self, life: Life, entries: Sequence[Entry]) -> None:
        """Store how transactions ended."""
        life.step()
        await asyncio.sleep(self._environment.latency() / 10)
        life.step()
        for each in entries:
            job = self._by_label[each.call.labels[0]]
            self._environment.note("caller.settled", nonce=each.nonce, state=each.state.value)
            job.settled = each
            if each.state is EntryState.MINED:
                job.outcome = EntryState.MINED
        self._checks.settled(entries)
        life.step()

    async def restore(self, life: Life, entries: Sequence[Entry]) -> None:
        """Open the jobs again whose transactions are in flight again."""
        life.step()
        for each in entries:
            job = self._by_label[each.call.labels[0]]
            self._environment.note("caller.restored", nonce=each.nonce)
            job.outcome = None
            job.reopened.set()
        life.step()

    async def _work(self, life: Life, pipeline: Pipeline, journal: LifeJournal, job: Job) -> None:
        await asyncio.sleep(job.at - self._environment.now)
        while True:
            job.reopened.clear()
            live = pipeline.live(job.labels[0])
            if live is not None:
                await pipeline.wait(live.nonce)
                continue
            entries = await journal.labelled(job.labels[0])
            if pipeline.live(job.labels[0]) is not None:
                continue
            job.outcome = self._judge(job, entries)
            if job.outcome is None:
                if len(job.labels) == 1:
                    pipeline.expect()
                    await asyncio.sleep(self._environment.latency())
                    life.step()
                await pipeline.submit([job.call])
                life.step()
                continue
            self._environment.note("job.ended", labels=job.labels, outcome=job.outcome.value)
            await job.reopened.wait()

    def _judge(self, job: Job, entries: Sequence[Entry]) -> EntryState | None:
        """Return how a job without a transaction in flight ended; None when it needs another transaction."""
        states = [each.state for each in entries]
        if EntryState.MINED in states or (entries and self._chain.head.effects.get(job.data)):
            return EntryState.MINED
        if EntryState.REFUSED in states:
            return EntryState.REFUSED
        return EntryState.REVERTED if states.count(EntryState.REVERTED) >= _MAX_REVERTS else None
