"""An assignment is checked against the worker, its slots and the need of the task."""

from collections.abc import Callable
from random import Random

import pytest
from workerpool_core.domain.decisions import ReplicateCreated
from workerpool_core.domain.live import LiveWorker, WorkerSession
from workerpool_core.domain.model import (
    DealTerms,
    Modifier,
    Replicate,
    ReplicateChange,
    Task,
    TaskChange,
    Worker,
    WorkerModel,
)
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.scheduler import Scheduler
from workerpool_core.domain.snapshot import Snapshot
from workerpool_core.simulation.chain.chain import Chain
from workerpool_core.simulation.checks.assignments import check_assignment
from workerpool_core.simulation.checks.violation import Violation
from workerpool_core.simulation.ledger import Ledger
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

NAME = TaskId("0x01")
MODEL = WorkerModel("w", "1", "linux", "x86", slots=1, memory_bytes=1 << 33)


class Assignment:
    """The assignment of a task with trust 1 to a connected worker; a test spoils one condition."""

    def __init__(self, terms: DealTerms, chain: Chain) -> None:
        self.now = terms.start_time
        self.chain, self.ledger = chain, Ledger()
        self.task = Task(NAME, 0, terms, [TaskChange(TaskStatus.INITIALIZED, self.now)])
        workers = tuple(Worker(wallet, MODEL, self.now, self.now) for wallet in ("0xW", "0xOther"))
        self.replicate = self.add("0xW")
        snapshot = Snapshot(tasks=(self.task,), workers=workers)
        self.scheduler = Scheduler(Policy(), Random(1), snapshot)
        self.live.session = WorkerSession("s")

    @property
    def live(self) -> LiveWorker:
        return self.scheduler.workers["0xW"]

    def add(self, wallet: str) -> Replicate:
        created = ReplicateChange(ReplicateStatus.CREATED, self.now, Modifier.POOL_MANAGER)
        self.task.replicates[wallet] = Replicate(NAME, wallet, 2, [created])
        return self.task.replicates[wallet]

    def add_first(self, wallet: str) -> None:
        """Add a replicate before the checked one."""
        self.task.replicates.clear()
        self.add(wallet)
        self.task.replicates["0xW"] = self.replicate

    def check(self) -> None:
        write = ReplicateCreated(self.replicate)
        check_assignment(write, self.ledger, self.chain, self.scheduler, self.now)


@pytest.fixture
def assignment(terms: DealTerms, chain: Chain) -> Assignment:
    return Assignment(terms, chain)


def store_twice(assignment: Assignment) -> None:
    assignment.ledger.replicates[NAME, "0xW"] = assignment.replicate


def pass_deadline(assignment: Assignment) -> None:
    assignment.now = assignment.task.terms.contribution_deadline


def disconnect(assignment: Assignment) -> None:
    assignment.live.session = None


def drain(assignment: Assignment) -> None:
    assignment.live.worker.drained_until = assignment.now + 1


def quarantine(assignment: Assignment) -> None:
    assignment.live.worker.quarantined_until = assignment.now + 1


def supply_another_worker(assignment: Assignment) -> None:
    assignment.add_first("0xOther")


def test_a_proper_assignment_passes(assignment: Assignment) -> None:
    assignment.check()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (store_twice, "twice"),
        (pass_deadline, "deadline"),
        (disconnect, "disconnected"),
        (drain, "drained"),
        (quarantine, "quarantine"),
        (supply_another_worker, "more contributions"),
    ],
)
def test_an_assignment_that_must_not_happen_is_detected(
    assignment: Assignment, spoil: Callable[[Assignment], None], message: str
) -> None:
    spoil(assignment)
    with pytest.raises(Violation, match=message):
        assignment.check()
