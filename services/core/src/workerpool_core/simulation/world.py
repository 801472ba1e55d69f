"""One seed: a pool with everything in it, from the first deal to long after the last deadline."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from workerpool_poco.protocol.consensus import contributions_needed
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus, TaskStatus

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.model import DealTerms, WorkerModel
from workerpool_core.domain.policy import Policy
from workerpool_core.simulation.chain import Chain, Transaction
from workerpool_core.simulation.clock import Clock
from workerpool_core.simulation.core import Core
from workerpool_core.simulation.deals import FINAL_PERIODS, deal_terms, tasks_of
from workerpool_core.simulation.faults import faults_of
from workerpool_core.simulation.invariants import Invariants, must
from workerpool_core.simulation.services import Adapter
from workerpool_core.simulation.worker import Worker

START = 1_700_000_000.0
T = 60
_OPEN = (ChainTaskStatus.ACTIVE, ChainTaskStatus.REVEALING)
_LONGEST_QUIET_S = 20.0
_GRACE_S = 90.0
"""How long after its final deadline a task may take to end: a restart of core plus a read of the chain."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a seed."""

    seed: int
    kind: str
    events: int
    completed: int
    failed: int


class World:
    """Everything, and the dice that decide what befalls it."""

    def __init__(
        self, seed: int, note: Callable[[float, str, dict[str, object]], None] | None = None
    ) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.trace = note is not None
        self._note = note
        self.events = 0
        self.clock = Clock(START)
        self.faults = faults_of(self.random)
        self.deposited: set[str] = set()
        self._terms: dict[TaskId, DealTerms] = {}
        self._acted: set[tuple[str, int]] = set()
        self.chain = Chain(self.clock, self.random, self._cut)
        self.adapter = Adapter(self.clock, self.random, self.chain)
        policy = Policy(quarantine_s=20.0, read_timeout_s=10.0, proof_timeout_s=30.0, ended_retention_s=120.0)
        self.core = Core(self, policy)
        self.invariants = Invariants(self.core.ledger, self.chain, self.deposited)
        self.workers: dict[str, Worker] = {}
        self._block_time = self.random.uniform(0.5, 5.0)
        self._longest_follow_s = self.random.choice((0.5, 4.0))
        # Where a task may fail, things befall its deadlines and its end too.
        longest = 400 if self.faults.must_complete else FINAL_PERIODS * T + 40
        self.chaos_ends = START + self.random.uniform(30, longest)
        self.ends = START + FINAL_PERIODS * T + _GRACE_S + 210
        self._populate()

    def note(self, what: str, /, **fields: object) -> None:
        """Tell the trace, if somebody reads it."""
        if self._note is not None:
            self._note(self.clock.now - START, what, fields)

    def happens(self, chance: float) -> bool:
        """Throw the dice; while there is chaos."""
        return chance > 0 and self.clock.now < self.chaos_ends and self.random.random() < chance

    def stage_fails(self, wallet: str) -> bool:
        """Tell whether a stage of a worker's replicate fails."""
        cursed = self.faults.cursed and wallet == f"0xW{len(self.workers) - 1}"
        return cursed or self.happens(self.faults.failing_stage)

    def is_lazy(self, wallet: str) -> bool:
        """Tell whether a worker ignores this order to reveal."""
        return self.happens(self.faults.lazy_reveal)

    # --- population -------------------------------------------------------------------------

    def _populate(self) -> None:
        random = self.random
        deals = []
        for number in range(random.randint(1, 2)):
            enclave = random.random() < 0.25
            trust = 1 if enclave else random.choice((0, 1, 1, 2, 3, 5, 9, 64))
            deals.append(self._deal(number, trust, enclave, random.choice((1, 1, 2, 3))))
        # One of them does not fail always.
        able = {0, random.randint(0, 3)}
        needed = max(contributions_needed(max(deal.trust, 1)) for deal in deals)
        for number in range(needed + random.randint(0, 2) + self.faults.cursed):
            model = WorkerModel(
                f"w{number}",
                "1",
                "linux",
                "x86",
                random.randint(1, 3),
                1 << 34,
                sgx=number in able,
                tdx=False,
            )
            worker = Worker(self, f"0xW{number}", model, 2 if random.random() < 0.8 else 3)
            self.chain.weights[worker.wallet] = worker.weight
            self.workers[worker.wallet] = worker
            self.clock.later(random.uniform(0, 10), worker.start)
        for deal in deals:
            self.clock.later(random.uniform(0, 30), self._matching(deal))
        self.clock.later(0.0, self.core.start)
        self.clock.later(self._block_time, self._mine)
        for call, rate in (
            (self._crash_core, self.faults.core_crashes),
            (self._cut_somebody, self.faults.cuts),
            (self._crash_somebody, self.faults.worker_crashes),
            (self._reorganise, self.faults.reorganisations),
            (self._outage, self.faults.outages),
            (self._drain, self.faults.drains),
            (self._transact, self.faults.third_parties),
        ):
            if rate:
                self._recur(call, rate)

    def _matching(self, deal: DealTerms) -> Callable[[], None]:
        return lambda: self.chain.send(Transaction("match", TaskId(""), terms=deal))

    def _recur(self, call: Callable[[], None], rate: float) -> None:
        def again() -> None:
            if self.clock.now < self.chaos_ends:
                call()
                self._recur(call, rate)

        self.clock.later(self.random.expovariate(rate), again)

    def _deal(self, number: int, trust: int, enclave: bool, size: int) -> DealTerms:
        start = START + 30
        return deal_terms(
            DealId(f"0x{self.seed * 10 + number + 1:064x}"),
            start=start,
            execution_s=T,
            trust=trust,
            tag="0x" + ("3" if enclave else "0").zfill(64),
            requester=f"0xRequester{number}",
            bot_size=size,
            # So that the last claims lie well before the end of the world.
            final_deadline=start + FINAL_PERIODS * T - 30,
        )

    def _cut(self, terms: DealTerms) -> list[TaskId]:
        names = tasks_of(terms)
        for name in names:
            self._terms.setdefault(name, terms)
        return names

    def terms_of(self, name: TaskId) -> DealTerms:
        """Return the terms of a task."""
        return self._terms[name]

    # --- what befalls it --------------------------------------------------------------------

    def _mine(self) -> None:
        quiet_s = self.clock.now - self.chain.head.timestamp
        if self.chain.mempool or quiet_s > _LONGEST_QUIET_S or self.random.random() < 0.1:
            self.chain.mine()
            self._follow_soon()
        self.clock.later(self.random.uniform(0.5, 1.5) * self._block_time, self._mine)

    def cut(self, wallet: str) -> None:
        """Cut a worker's stream; both sides notice, each in its time."""
        worker = self.workers[wallet]
        core = self.core
        link = worker.link or core.links.get(wallet)
        if link is None:
            return
        link.open = False
        if core.links.get(wallet) is link:
            del core.links[wallet]
        gone = e.WorkerDisconnected(wallet, link.session)
        core.later(self.random.uniform(0.0, 3.0), lambda: core.submit(gone))
        if worker.link is link:
            worker.disconnected()

    def _crash_core(self) -> None:
        if self.core.alive:
            self.core.crash()
            self.clock.later(self.random.uniform(0.5, 15.0), self.core.start)

    def _somebody(self) -> Worker:
        return self.random.choice(list(self.workers.values()))

    def _cut_somebody(self) -> None:
        worker = self._somebody()
        worker.blocked_until = self.clock.now + self.random.uniform(0.0, self.faults.longest_cut_s)
        self.cut(worker.wallet)

    def _crash_somebody(self) -> None:
        worker = self._somebody()
        if worker.running:
            worker.crash(self.happens(self.faults.wiped_disk))
            self.clock.later(self.random.uniform(0.5, self.faults.longest_cut_s), worker.start)

    def _reorganise(self) -> None:
        depth = self.random.choice((1, 1, 2, 3, 6, 64))
        self.note("reorganisation", depth=depth)
        length = len(self.chain.blocks)
        self.chain.reorganise(depth)
        # A branch wins because it is the longer one.
        while len(self.chain.blocks) <= length:
            self.chain.mine()
        self._follow_soon()

    def _follow_soon(self) -> None:
        self.clock.later(self.random.uniform(0.01, self._longest_follow_s), self.core.follow)

    def _outage(self) -> None:
        if self.random.random() < 0.5:
            self.adapter.stop()
            self.clock.later(self.random.uniform(1, 20), self._adapter_back)
        else:
            self.chain.down = True
            self.core.submit(e.ChainHealthChanged(False))
            self.clock.later(self.random.uniform(1, 20), self._node_back)

    def _adapter_back(self) -> None:
        self.adapter.down = False

    def _node_back(self) -> None:
        self.chain.down = False
        self.core.submit(e.ChainHealthChanged(True))
        self.core.follow()

    def _drain(self) -> None:
        until = self.clock.now + self.random.uniform(1, 60)
        self.core.submit(e.WorkerDrained(self._somebody().wallet, until))

    def _transact(self) -> None:
        """Somebody who has nothing to do with the pool sends what anybody may."""
        for name in self._terms:
            kind = self.random.choice(("initialize", "claim"))
            self.chain.send(Transaction(kind, name, "0xSomebody"))

    # --- what must hold ---------------------------------------------------------------------

    def acknowledged(self, answer: d.AnswerUpdate) -> None:
        """An answer leaves: what it acknowledges must be durable."""
        if answer.outcome is d.UpdateOutcome.REFUSED:
            return
        update = self.workers[answer.wallet].journal.outbox.get(answer.sequence)
        if update is not None:
            kept = self.core.ledger.replicates.get((update.task_id, answer.wallet))
            must(kept is not None and kept.has_reached(update.status), "acknowledged but not kept:", update)

    def accepted(self, wallet: str, update: e.Update) -> None:
        """A worker learnt that a report was accepted."""
        kept = self.core.ledger.replicates.get((update.task_id, wallet))
        must(kept is not None and kept.has_reached(update.status), "accepted but lost:", update)

    def acted(self, wallet: str, sequence: int) -> None:
        """A worker acts on a command."""
        must((wallet, sequence) not in self._acted, "a command acted on twice", wallet, sequence)
        self._acted.add((wallet, sequence))

    def run(self) -> Summary:
        """Let the seed happen; raises Violation (or whatever the scheduler raises) when something is wrong."""
        self.clock.run(self.ends)
        ledger = self.core.ledger
        on_chain = self.chain.head.state
        for name, task in ledger.tasks.items():
            terms = task.terms
            must(task.ended, "not ended by its final deadline:", name, task.status)
            ended_at = task.history[-1].date
            must(ended_at <= terms.final_deadline + _GRACE_S, "ended too late:", name, ended_at - START)
            status = on_chain[name].status if name in on_chain else ChainTaskStatus.UNSET
            completed = task.status is TaskStatus.COMPLETED
            must(status not in _OPEN or not task.initialization_block, "left open on chain:", name, status)
            never_began = task.history[-2].status is TaskStatus.INITIALIZE_FAILED
            if never_began and self.faults.reorganisations:
                # An initialization that was given up may be mined again.
                continue
            if completed and self.faults.reorganisations:
                # What stood on chain is gone for good when the reveal vanished too and its worker had left, or the
                # initialization and it was too late for another.
                is_open = status in (ChainTaskStatus.ACTIVE, ChainTaskStatus.REVEALING)
                must(not is_open, "COMPLETED, but left open on chain:", name, status)
                continue
            must(
                completed is (status is ChainTaskStatus.COMPLETED),
                "chain and pool disagree on the end of",
                name,
                task.status,
                status,
            )
            must(
                completed or status in (ChainTaskStatus.UNSET, ChainTaskStatus.FAILED),
                "never claimed:",
                name,
                status,
            )
            must(completed or not self.faults.must_complete, "nothing excuses that it FAILED:", name)
        for deal in on_chain:
            must(deal in ledger.tasks, "a deal was overlooked:", deal)
        for worker in self.workers.values():
            if worker.link is not None and worker.welcomed:
                must(not worker.journal.outbox, "reports never answered:", worker.wallet)
                pending = [c for (w, _), c in ledger.commands.items() if w == worker.wallet]
                must(not pending, "commands never delivered:", pending)
        done = sum(task.status is TaskStatus.COMPLETED for task in ledger.tasks.values())
        return Summary(self.seed, self.faults.name, self.events, done, len(ledger.tasks) - done)
