"""The execution of a replicate, stage by stage."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from workerpool_core.domain.model import DealTerms
from workerpool_core.simulation.behaviours import AppBehaviour, WorkerBehaviour
from workerpool_core.simulation.chain.hub import Transaction
from workerpool_core.simulation.deals import tasks_of
from workerpool_core.simulation.environment import Environment
from workerpool_core.simulation.faults import Faults
from workerpool_core.simulation.worker.execution import Execution
from workerpool_core.simulation.worker.journal import Entry, Journal
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

R = ReplicateStatus
C = ReplicateStatusCause
WALLET = "0xW0"


class Process:
    """A worker process that keeps its reports."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.wallet = WALLET
        self.slot_bytes = 1 << 33
        self.journal = Journal()
        self.process = 1
        self.reported: list[tuple[ReplicateStatus, ReplicateStatusCause | None]] = []

    def is_running(self, process: int) -> bool:
        return process == self.process

    def later(self, delay: float, call: Callable[[], None]) -> None:
        self._environment.clock.later(delay, call)

    def report(self, entry: Entry, status: ReplicateStatus, **details: Any) -> None:
        entry.status = status
        self.reported.append((status, details.get("cause")))


@pytest.fixture
def environment() -> Environment:
    environment = Environment(1, None)
    environment.faults = Faults("calm", must_complete=True)
    environment.chain.lag_s = 0.0
    environment.chain.hub.weights[WALLET] = 2
    return environment


@pytest.fixture
def process(environment: Environment) -> Process:
    return Process(environment)


def execute(environment: Environment, process: Process, terms: DealTerms, *, caf: bool = False) -> None:
    """Execute the task of a deal up to its contribution."""
    chain, clock = environment.chain, environment.clock
    chain.send(Transaction("match", TaskId(""), terms=terms))
    (name,) = _mine(environment)
    chain.send(Transaction("initialize", name))
    _mine(environment)
    entry = Entry(name, caf)
    process.journal.entries[name] = entry
    Execution(environment, process).drive(entry)
    for _ in range(60):
        chain.mine()
        clock.run(clock.now + 1)


def _mine(environment: Environment) -> list[TaskId]:
    while environment.chain.mempool:
        environment.chain.mine()
    return list(environment.chain.head.state)


TO_COMPUTED = [
    R.STARTING,
    R.STARTED,
    R.APP_DOWNLOADING,
    R.APP_DOWNLOADED,
    R.DATA_DOWNLOADING,
    R.DATA_DOWNLOADED,
    R.COMPUTING,
    R.COMPUTED,
]


@pytest.fixture
def current_terms(environment: Environment, terms: DealTerms) -> DealTerms:
    """Terms whose deadlines are ahead of the environment's clock."""
    now = environment.clock.now
    return replace(terms, start_time=now, contribution_deadline=now + 420, final_deadline=now + 600)


@pytest.mark.parametrize(
    ("caf", "ongoing"), [(False, R.CONTRIBUTING), (True, R.CONTRIBUTE_AND_FINALIZE_ONGOING)]
)
def test_a_replicate_passes_every_stage_and_contributes(
    environment: Environment, process: Process, current_terms: DealTerms, caf: bool, ongoing: ReplicateStatus
) -> None:
    execute(environment, process, current_terms, caf=caf)
    statuses = [status for status, _ in process.reported]
    assert statuses[: len(TO_COMPUTED) + 1] == [*TO_COMPUTED, ongoing]
    (task,) = environment.chain.head.state.values()
    assert WALLET in task.contributions


def test_a_failed_stage_ends_the_replicate(
    environment: Environment, process: Process, current_terms: DealTerms
) -> None:
    environment.behaviours[WALLET] = WorkerBehaviour.BROKEN
    execute(environment, process, current_terms)
    assert process.reported == [(R.STARTING, None), (R.START_FAILED, C.HOST_FAILED)]


def test_a_missing_image_is_an_error_result(
    environment: Environment, process: Process, current_terms: DealTerms
) -> None:
    environment.faults = Faults("rough", must_complete=False, missing_image=1.0)
    execute(environment, process, current_terms)
    assert (R.APP_DOWNLOAD_FAILED, C.APP_IMAGE_DOWNLOAD_FAILED) in process.reported
    (entry,) = process.journal.entries.values()
    assert (entry.is_error, entry.has_result) == (True, True)


@pytest.mark.parametrize(
    ("app", "reported"),
    [
        (AppBehaviour.EXITS, (R.COMPUTED, C.APP_COMPUTE_FAILED)),
        (AppBehaviour.DIFFERS, (R.COMPUTED, C.APP_COMPUTE_FAILED)),
        (AppBehaviour.SLOW, (R.COMPUTED, C.APP_COMPUTE_TIMEOUT)),
        (AppBehaviour.LARGE, (R.COMPUTED, C.APP_OUT_OF_MEMORY)),
        (AppBehaviour.MISSING, (R.APP_DOWNLOAD_FAILED, C.APP_IMAGE_DOWNLOAD_FAILED)),
    ],
)
def test_an_error_result_waits_until_it_is_wanted(
    environment: Environment, process: Process, current_terms: DealTerms, app: AppBehaviour, reported: object
) -> None:
    environment.apps.update(dict.fromkeys(tasks_of(current_terms), app))
    environment.terms.update(dict.fromkeys(tasks_of(current_terms), current_terms))
    execute(environment, process, current_terms)
    environment.clock.run(environment.clock.now + current_terms.max_execution_s)
    assert process.reported[-1] == reported
    (entry,) = process.journal.entries.values()
    Execution(environment, process).contribute_again(entry)
    assert process.reported[-1] == (R.CONTRIBUTING, None)


@pytest.mark.parametrize(
    ("behaviour", "last"),
    [
        (WorkerBehaviour.LYING, (R.COMPUTED, C.APP_COMPUTE_FAILED)),
        (WorkerBehaviour.SILENT, (R.COMPUTING, None)),
    ],
)
def test_workers_that_are_not_honest_lie_or_stop(
    environment: Environment,
    process: Process,
    current_terms: DealTerms,
    behaviour: WorkerBehaviour,
    last: object,
) -> None:
    environment.behaviours[WALLET] = behaviour
    execute(environment, process, current_terms)
    reached = {status for status, _ in process.reported}
    assert process.reported[-1] == last or R.COMPUTED not in reached


def test_an_idle_worker_never_contributes(
    environment: Environment, process: Process, current_terms: DealTerms
) -> None:
    environment.behaviours[WALLET] = WorkerBehaviour.IDLE
    execute(environment, process, current_terms)
    (task,) = environment.chain.head.state.values()
    assert task.contributions == {}
