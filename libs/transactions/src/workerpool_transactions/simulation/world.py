"""One seed: a wallet's pipeline with everything around it, from the first call to long after the last."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from workerpool_kit.simulation.seeds import Trace

from workerpool_transactions.app.pipeline import Pipeline
from workerpool_transactions.domain.entry import Entry
from workerpool_transactions.domain.profile import Shape
from workerpool_transactions.simulation.chain.blocks import Chain
from workerpool_transactions.simulation.chain.mempool import Mempool
from workerpool_transactions.simulation.chain.node import SimulatedNode
from workerpool_transactions.simulation.chain.sequencer import Sequencer
from workerpool_transactions.simulation.checks import verdict
from workerpool_transactions.simulation.checks.invariants import Checks
from workerpool_transactions.simulation.checks.violation import Violation
from workerpool_transactions.simulation.environment import Environment
from workerpool_transactions.simulation.fault_injector import FaultInjector
from workerpool_transactions.simulation.process.caller import Caller, Job, Kind
from workerpool_transactions.simulation.process.journal import SimulatedJournal
from workerpool_transactions.simulation.process.life import Life, pipeline_of
from workerpool_transactions.simulation.terms import BALANCE, BASE_FEE, LITTLE
from workerpool_transactions.simulation.virtual_time import run

PROGRESS_S = 180.0
"""Once the node behaves, everything ends within this time, and within `STRANGER_S` for each stranger's transaction."""
STRANGER_S = 120.0
"""Seconds after which a stuck transaction of another program is replaced and mined: 60 s, then blocks of up to 5 s."""
IDLE_S = 100.0
_IDLE_AFTER_S = 65.0
"""A head that was skipped is looked at up to 60 s later."""
_MAX_IDLE_CALLS = 12
_WINDOW_S = 10.0
_MAX_CALLS = 250
_FINAL_BLOCKS = 30
_UNTOLD = 5
"""At one head of so many, a node with the `finalized` tag does not answer for it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of a seed."""

    seed: int
    kind: str
    shape: str
    seconds: float
    calls: int
    jobs: int
    mined: int
    lives: int
    fillers: int


class World:
    """The wallet of one seed. `trace` receives every write, send and fault."""

    def __init__(self, seed: int, trace: Trace | None = None) -> None:
        self._seed = seed
        environment = self.environment = Environment(seed, trace)
        random, faults = environment.random, environment.faults
        is_free = environment.shape is Shape.FREE
        balance = 0 if is_free else LITTLE if faults.dry else BALANCE
        self._chain = chain = Chain(random, balance, None if is_free else BASE_FEE)
        self._checks = Checks(environment, chain)
        intake = Sequencer(chain) if environment.shape is Shape.SEQUENCER else Mempool(random, chain)
        self.node = SimulatedNode(environment, chain, intake, self._checks.seen)
        self.journal = SimulatedJournal(environment, self._checks)
        self._checks.journal = self.journal.entries
        self._caller = Caller(environment, chain, self._checks, self._jobs())
        self._life: Life | None = None
        self._pipeline: Pipeline | None = None
        self._lives = 0
        self._follow_s = random.choice((0.25, 1.0, 3.0))
        self._has_finalized = random.random() < 0.5
        self._has_heads_when_idle = random.random() < 0.5
        self._followed = b""

    def run(self) -> Summary:
        """Run the seed. Raises Violation, or the exception of the pipeline."""
        return run(self._run)

    def _jobs(self) -> list[Job]:
        environment = self.environment
        random, faults = environment.random, environment.faults
        jobs = list[Job]()
        for number in range(random.randint(3, 14)):
            labels = (f"work {number}",) if random.random() < 0.8 else (f"work {number}", f"more {number}")
            draw = random.random()
            kind = Kind.GOOD
            if draw < faults.reverting:
                kind = Kind.REVERTS
            elif draw < faults.reverting + faults.invalid:
                kind = Kind.INVALID
            job = Job(labels, kind, random.uniform(0.0, environment.faults_end * 0.9))
            if jobs and random.random() < 0.5:
                job.at = jobs[-1].at
            if kind is Kind.REVERTS:
                self._chain.reverting.add(job.data)
            if kind is Kind.INVALID:
                self.node.invalid.add(job.data)
                self._checks.invalid.add(job.data)
            jobs.append(job)
        return jobs

    # --- the seed's time -----------------------------------------------------------------------

    async def _run(self) -> Summary:
        environment = self.environment
        environment.note("seed", seed=self._seed, shape=environment.shape.value, faults=environment.faults)
        self._later(environment.block_time_s, self._mine)
        self._later(self._follow_s, self._follow)
        if environment.faults.dry:
            self._later(environment.random.uniform(5.0, environment.faults_end), self._refill)
        injector = FaultInjector(environment, self._chain, self.node, lambda: self._life)
        injector.start(self._later)
        lives = asyncio.ensure_future(self._live())
        await self._until_done(injector)
        seconds = environment.now
        await self._stay_idle()
        self._check_calls()
        lives.cancel()
        fillers = sum(each.is_filler for each in self.journal.entries.values())
        return Summary(
            self._seed,
            environment.faults.name,
            environment.shape.value,
            seconds,
            len(self.node.calls),
            len(self._caller.jobs),
            self._chain.head.count,
            self._lives,
            fillers,
        )

    async def _until_done(self, injector: FaultInjector) -> None:
        environment = self.environment
        await self._pass(environment.faults_end)
        # Each blocks those above it until it is replaced, one after the other.
        limit_s = PROGRESS_S + STRANGER_S * injector.waiting_strangers()
        deadline = environment.now + limit_s
        while text := self._problem():
            if environment.now > deadline:
                raise Violation(f"{limit_s:g} s after the last fault: {text}")
            await self._pass(0.5)
        environment.note("seed.done")

    async def _stay_idle(self) -> None:
        """Advance time with nothing to do; the pipeline then makes almost no calls to the node."""
        if not self._has_heads_when_idle:
            self._follow_s = float("inf")
        await self._pass(_IDLE_AFTER_S)
        before = len(self.node.calls)
        await self._pass(IDLE_S)
        made = [method for _, method in self.node.calls[before:]]
        most = _MAX_IDLE_CALLS if self._has_heads_when_idle else 0
        if len(made) > most:
            raise Violation(
                f"{len(made)} calls to the node in {IDLE_S:g} idle seconds: {dict(Counter(made))}"
            )
        if text := self._problem():
            raise Violation(f"after everything had ended: {text}")

    async def _pass(self, seconds: float) -> None:
        end = self.environment.now + seconds
        while self.environment.now < end:
            await asyncio.sleep(min(0.5, end - self.environment.now))
            if self.environment.failure is not None:
                raise self.environment.failure

    def _problem(self) -> str:
        return verdict.problem(self.environment, self._chain.head, self.journal.entries, self._caller)

    def _check_calls(self) -> None:
        windows = Counter(int(at / _WINDOW_S) for at, _ in self.node.calls)
        window, calls = max(windows.items(), key=lambda each: each[1])
        if calls > _MAX_CALLS:
            made = Counter(method for at, method in self.node.calls if int(at / _WINDOW_S) == window)
            raise Violation(f"{calls} calls to the node in {_WINDOW_S:g} s: {dict(made)}")

    # --- the process -----------------------------------------------------------------------------

    async def _live(self) -> None:
        environment = self.environment
        random, steps = environment.random, environment.faults.crash_steps
        while True:
            self._lives += 1
            life = self._life = Life(environment, random.randint(1, steps) if steps else None)
            self._pipeline, self._followed = None, b""
            life.start(self._serve(life), "serve")
            await life.killed.wait()
            await life.clean()
            await asyncio.sleep(random.uniform(0.1, 5.0))

    async def _serve(self, life: Life) -> None:
        settle, restore = partial(self._settle, life), partial(self._restore, life)
        pipeline = pipeline_of(life, self.environment, self.node, self.journal, settle, restore)
        await pipeline.resume()
        self._pipeline = pipeline
        self._caller.start(life, pipeline, self.journal)
        await pipeline.run()

    async def _settle(self, life: Life, entries: Sequence[Entry]) -> None:
        await self._caller.settle(life, entries)

    async def _restore(self, life: Life, entries: Sequence[Entry]) -> None:
        await self._caller.restore(life, entries)

    # --- the chain --------------------------------------------------------------------------------

    def _later(self, seconds: float, call: object) -> None:
        asyncio.get_running_loop().call_later(seconds, call)  # type: ignore[arg-type]

    def _mine(self) -> None:
        environment = self.environment
        if environment.shape is not Shape.SEQUENCER:
            self.node.intake.mine(environment.now)
            self._later(environment.random.uniform(0.5, 1.5) * environment.block_time_s, self._mine)

    def _follow(self) -> None:
        """Pass the newest head to the pipeline, as the services do."""
        if self._follow_s == float("inf"):
            return
        self._later(self._follow_s, self._follow)
        head = self._chain.head
        if self._pipeline is None or self._life is None or self._life.is_dead or self.node.is_down:
            return
        if head.hash != self._followed:
            self._followed = head.hash
            told = self._has_finalized and head.number % _UNTOLD
            self._pipeline.head_changed(head.head, head.number - _FINAL_BLOCKS if told else None)

    def _refill(self) -> None:
        self.environment.note("wallet.refilled")
        self._chain.refill(BALANCE)
