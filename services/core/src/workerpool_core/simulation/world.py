"""One seed: a complete pool, from the first deal until long after the last deadline."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from workerpool_kit.simulation.seeds import Trace
from workerpool_poco.protocol.consensus import contributions_needed
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.domain.model import DealTerms, WorkerModel
from workerpool_core.domain.policy import Policy
from workerpool_core.simulation.behaviours import AGREED, AppBehaviour, WorkerBehaviour
from workerpool_core.simulation.chain.hub import Transaction
from workerpool_core.simulation.checks import verdict
from workerpool_core.simulation.checks.invariants import Invariants
from workerpool_core.simulation.core.process import Core
from workerpool_core.simulation.deals import FINAL_PERIODS, deal_terms, tasks_of
from workerpool_core.simulation.environment import START, Environment
from workerpool_core.simulation.fault_injector import FaultInjector
from workerpool_core.simulation.fleet import Fleet
from workerpool_core.simulation.ledger import Ledger
from workerpool_core.simulation.worker.worker import Worker

T = 60
"""The category time of all deals, in seconds."""
STAKE = 5
"""The stake (nRLC) that each contribution to a paid deal locks."""
_LONGEST_QUIET_S = 20.0
_POLICY = Policy(
    quarantine_s=20.0,
    read_timeout_s=10.0,
    proof_timeout_s=30.0,
    ended_retention_s=120.0,
    tasks_ahead=2,
    tasks_ahead_per_slot=0.0,
    progress_timeout_s=30.0,
    download_s=60.0,
)


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of a seed."""

    seed: int
    kind: str
    events: int
    completed: int
    failed: int


class World:
    """The pool of one seed; `trace` receives every event, write and effect."""

    def __init__(self, seed: int, trace: Trace | None = None) -> None:
        self._seed = seed
        environment = self._environment = Environment(seed, trace)
        self._ledger = Ledger()
        self._invariants = Invariants(self._ledger, environment)
        policy = replace(_POLICY, error_results=environment.faults.error_results)
        self._core = Core(environment, policy, self._ledger, self._invariants)
        self._fleet = Fleet(environment, self._core)
        self._core.attach(self._fleet)
        self._block_time = environment.random.uniform(0.5, 5.0)
        self._longest_follow_s = environment.random.choice((0.5, 4.0))
        # Where a task may fail, faults continue until the deadlines and its end.
        longest = 400 if environment.faults.must_complete else FINAL_PERIODS * T + 40
        environment.faults_end = START + environment.random.uniform(30, longest)
        self._end = START + FINAL_PERIODS * T + verdict.GRACE_S + 210
        self._populate()

    @property
    def environment(self) -> Environment:
        """The environment of the seed: its faults, apps and workers."""
        return self._environment

    def run(self) -> Summary:
        """Run the seed. Raises Violation, or the exception of the scheduler."""
        self._environment.clock.run(self._end)
        verdict.check(self._environment, self._ledger, self._fleet)
        tasks = self._ledger.tasks.values()
        completed = sum(task.status is TaskStatus.COMPLETED for task in tasks)
        faults = self._environment.faults
        return Summary(self._seed, faults.name, self._core.events, completed, len(tasks) - completed)

    # --- population -------------------------------------------------------------------------

    def _populate(self) -> None:
        environment = self._environment
        random, clock = environment.random, environment.clock
        deals = []
        for number in range(random.randint(1, 2)):
            enclave = random.random() < 0.25
            trust = 1 if enclave else random.choice((0, 1, 1, 2, 3, 5, 9, 64))
            stake = random.choice((0, 0, STAKE))
            sizes = (1, 1, 2, 3, 3, 5) if environment.faults.must_complete else (1, 1, 2, 2, 3, 3, 8, 20)
            deals.append(self._deal(number, trust, enclave, random.choice(sizes), stake))
            self._choose_app(deals[-1], enclave)
        self._add_workers(deals)
        for deal in deals:
            clock.later(random.uniform(0, 30), self._match(deal))
        clock.later(0.0, self._core.start)
        clock.later(self._block_time, self._mine)
        FaultInjector(environment, self._core, self._fleet, self._follow_soon).start()

    def _choose_app(self, deal: DealTerms, enclave: bool) -> None:
        """Choose the behaviour of a deal's app; the failure of an enclave app cannot be contributed."""
        environment = self._environment
        if enclave or environment.random.random() >= environment.faults.failing_app:
            return
        # With a higher trust, workers that see different failures never agree.
        kinds = (
            [app for app in AppBehaviour if app is not AppBehaviour.GOOD] if deal.trust <= 1 else list(AGREED)
        )
        app = environment.random.choice(kinds)
        environment.apps.update(dict.fromkeys(tasks_of(deal), app))

    def _add_workers(self, deals: list[DealTerms]) -> None:
        """Add the workers that the deals need and a few more, of which one or two have an enclave."""
        environment = self._environment
        random = environment.random
        max_trust = max(deal.trust for deal in deals)
        # With a higher trust, one liar would require more workers than there are.
        bad = [c for c in environment.faults.behaviours if c is not WorkerBehaviour.LYING or max_trust <= 1]
        # Worker 0 is always honest, so at least one enclave works.
        with_enclave = {0, random.randint(0, 3)}
        needed = max(contributions_needed(max(deal.trust, 1)) for deal in deals)
        count = needed + random.randint(0, 2) + len(bad)
        environment.behaviours.update((f"0xW{count - place}", c) for place, c in enumerate(bad, 1))
        if environment.faults.silent_worker:
            environment.silent_wallet = f"0xW{count}"
            count += 1
        for number in range(count):
            model = WorkerModel(
                f"w{number}",
                "1",
                "linux",
                "x86",
                random.randint(1, 3),
                1 << 34,
                sgx=number in with_enclave,
                tdx=False,
            )
            weight = 2 if random.random() < 0.8 else 3
            worker = Worker(
                environment,
                self._core,
                self._invariants,
                wallet=f"0xW{number}",
                model=model,
                weight=weight,
            )
            self._fleet.add(worker)
            if worker.wallet != environment.silent_wallet:
                environment.chain.hub.stakes[worker.wallet] = 1_000 * STAKE
            environment.clock.later(random.uniform(0, 10), worker.start)

    def _match(self, deal: DealTerms) -> Callable[[], None]:
        return lambda: self._environment.chain.send(Transaction("match", TaskId(""), terms=deal))

    def _deal(self, number: int, trust: int, enclave: bool, size: int, stake: int) -> DealTerms:
        start = START + 30
        return deal_terms(
            DealId(f"0x{self._seed * 10 + number + 1:064x}"),
            start=start,
            execution_s=T,
            trust=trust,
            tag="0x" + ("3" if enclave else "0").zfill(64),
            requester=f"0xRequester{number}",
            bot_size=size,
            worker_stake=stake,
            # Claims are due well before the end of the seed.
            final_deadline=start + FINAL_PERIODS * T - 30,
        )

    # --- blocks -----------------------------------------------------------------------------

    def _mine(self) -> None:
        environment = self._environment
        chain, random = environment.chain, environment.random
        quiet_s = environment.clock.now - chain.head.timestamp
        makes_empty_block = quiet_s > _LONGEST_QUIET_S or random.random() < 0.1
        if chain.mempool or (makes_empty_block and not chain.sequenced):
            chain.mine()
            self._follow_soon()
        environment.clock.later(random.uniform(0.5, 1.5) * self._block_time, self._mine)

    def _follow_soon(self) -> None:
        delay = self._environment.random.uniform(0.01, self._longest_follow_s)
        self._environment.clock.later(delay, self._core.follow)
