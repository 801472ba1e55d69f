"""A simulated core commits before it acts, and starts again from its ledger after a crash."""

from dataclasses import dataclass

import pytest
from workerpool_core.domain.events import ChainHealthChanged
from workerpool_core.domain.model import WorkerModel
from workerpool_core.domain.policy import Policy
from workerpool_core.simulation.chain.hub import Transaction
from workerpool_core.simulation.checks.invariants import Invariants
from workerpool_core.simulation.core.process import Core
from workerpool_core.simulation.deals import deal_terms, tasks_of
from workerpool_core.simulation.environment import Environment
from workerpool_core.simulation.faults import Faults
from workerpool_core.simulation.fleet import Fleet
from workerpool_core.simulation.ledger import Ledger
from workerpool_core.simulation.worker.worker import Worker
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

MODEL = WorkerModel("w", "1", "linux", "x86", slots=1, memory_bytes=1 << 33)


@dataclass
class SimulatedPool:
    """A core with one worker and no faults; a block is mined every second."""

    environment: Environment
    core: Core
    fleet: Fleet
    ledger: Ledger
    worker: Worker

    def run(self, seconds: int) -> None:
        """Let time pass."""
        for _ in range(seconds):
            self.environment.chain.mine()
            self.core.follow()
            self.environment.clock.run(self.environment.clock.now + 1)

    def match(self) -> TaskId:
        """Mine a deal of one task; return its id."""
        terms = deal_terms(DealId(f"0x{1:064x}"), start=self.environment.clock.now, execution_s=60)
        self.environment.chain.send(Transaction("match", TaskId(""), terms=terms))
        return tasks_of(terms)[0]


@pytest.fixture
def pool() -> SimulatedPool:
    environment = Environment(1, None)
    environment.faults = Faults("calm", must_complete=True)
    environment.chain.lag_s = 0.0
    ledger = Ledger()
    invariants = Invariants(ledger, environment)
    core = Core(environment, Policy(), ledger, invariants)
    fleet = Fleet(environment, core)
    core.attach(fleet)
    worker = Worker(environment, core, invariants, wallet="0xW0", model=MODEL, weight=2)
    fleet.add(worker)
    return SimulatedPool(environment, core, fleet, ledger, worker)


def test_a_task_completes_with_one_worker(pool: SimulatedPool) -> None:
    pool.core.start()
    pool.worker.start()
    task = pool.match()
    pool.run(120)
    assert pool.ledger.tasks[task].status is TaskStatus.COMPLETED
    assert pool.ledger.replicates[task, "0xW0"].status is ReplicateStatus.COMPLETED
    assert pool.worker.journal.entries == {}


def test_a_task_completes_after_a_crash_of_core_and_worker(pool: SimulatedPool) -> None:
    pool.core.start()
    pool.worker.start()
    task = pool.match()
    pool.run(8)
    pool.core.crash()
    pool.fleet.crash(pool.worker, wiped=False)
    assert not pool.core.alive
    assert pool.core.links == {}
    pool.run(3)
    pool.core.start()
    pool.worker.start()
    pool.run(150)
    assert pool.ledger.tasks[task].status is TaskStatus.COMPLETED


def test_a_wiped_worker_keeps_only_its_sequence(pool: SimulatedPool) -> None:
    pool.core.start()
    pool.worker.start()
    pool.match()
    pool.run(10)
    sequence = pool.worker.journal.sequence
    assert sequence > 0
    pool.fleet.crash(pool.worker, wiped=True)
    assert (pool.worker.journal.entries, pool.worker.journal.sequence) == ({}, sequence)


def test_events_are_lost_while_core_is_down(pool: SimulatedPool) -> None:
    pool.core.submit(ChainHealthChanged(True))
    assert pool.core.events == 0


def test_callbacks_of_a_crashed_process_are_not_called(pool: SimulatedPool) -> None:
    called: list[int] = []
    pool.core.start()
    pool.core.later(1.0, lambda: called.append(1))
    pool.core.crash()
    pool.core.start()
    pool.run(3)
    assert called == []
