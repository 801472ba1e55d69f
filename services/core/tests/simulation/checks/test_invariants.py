"""Each invariant detects what it forbids."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from workerpool_core.domain.decisions import (
    AnswerUpdate,
    CommandQueued,
    ReplicateChanged,
    ReplicateCreated,
    RequestTransaction,
    TaskChanged,
    TaskCreated,
    UpdateOutcome,
    WorkerSaved,
)
from workerpool_core.domain.events import TransactionKind, Update
from workerpool_core.domain.model import (
    Action,
    Command,
    DealTerms,
    Modifier,
    Replicate,
    ReplicateChange,
    Task,
    TaskChange,
    Worker,
    WorkerModel,
)
from workerpool_core.simulation.behaviours import WorkerBehaviour
from workerpool_core.simulation.chain.chain import Chain
from workerpool_core.simulation.checks.invariants import Invariants
from workerpool_core.simulation.checks.violation import Violation, must
from workerpool_core.simulation.environment import Environment
from workerpool_core.simulation.faults import Faults
from workerpool_core.simulation.ledger import Ledger
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

R = ReplicateStatus
T = TaskStatus
NAME, WALLET = TaskId("0x01"), "0xW"


@pytest.fixture
def ledger(terms: DealTerms) -> Ledger:
    """A store with a RUNNING task and its COMPUTED replicate."""
    ledger = Ledger()
    ledger.apply(TaskCreated(Task(NAME, 0, terms, [TaskChange(T.RUNNING, 0.0)])))
    computed = ReplicateChange(R.COMPUTED, 0.0, Modifier.WORKER)
    ledger.apply(ReplicateCreated(Replicate(NAME, WALLET, 2, [computed])))
    return ledger


@pytest.fixture
def environment(chain: Chain) -> Environment:
    """Surroundings with the chain of the test and only honest workers."""
    environment = Environment(1, None)
    environment.faults = Faults("calm", must_complete=True)
    environment.chain = chain
    return environment


@pytest.fixture
def invariants(ledger: Ledger, environment: Environment) -> Invariants:
    return Invariants(ledger, environment)


def task_moves(*statuses: TaskStatus, **fields: object) -> TaskChanged:
    return TaskChanged(NAME, T.RUNNING, tuple(TaskChange(status, 0.0) for status in statuses), fields)


def replicate_moves(*statuses: ReplicateStatus, modifier: Modifier = Modifier.WORKER) -> ReplicateChanged:
    changes = tuple(ReplicateChange(status, 0.0, modifier) for status in statuses)
    return ReplicateChanged(NAME, WALLET, R.COMPUTED, changes, {})


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (TaskChanged(TaskId("0x02"), T.RUNNING, (), {}), "never stored"),
        (task_moves(T.COMPLETED), "does not allow"),
        (task_moves(T.FINALIZED, T.COMPLETED), "COMPLETED without TaskFinalize"),
        (task_moves(T.CONSENSUS_REACHED, consensus="0xaa"), "without TaskConsensus"),
        (ReplicateChanged(NAME, "0xOther", R.COMPUTED, (), {}), "never stored"),
        (replicate_moves(R.REVEALED), "do not allow"),
        (replicate_moves(R.WORKER_LOST, R.COMPUTED), "recorded twice"),
        (replicate_moves(R.CONTRIBUTING, R.CONTRIBUTED), "without a contribution"),
        (replicate_moves(R.WORKER_LOST, R.REVEALED), "without a reveal"),
        (replicate_moves(R.WORKER_LOST, R.RESULT_UPLOADED), "without an archive"),
        (replicate_moves(R.WORKER_LOST, R.CONTRIBUTE_AND_FINALIZE_DONE), "without a finalization"),
        (CommandQueued(Command("0xOther", 1, NAME, Action.REVEAL)), "without a replicate"),
        (CommandQueued(Command(WALLET, 1, NAME, Action.REVEAL)), "REVEAL for a loser"),
        (CommandQueued(Command(WALLET, 1, NAME, Action.UPLOAD)), "without a reveal"),
        (CommandQueued(Command(WALLET, 1, NAME, Action.COMPLETE)), "before the finalization"),
    ],
)
def test_a_write_that_must_not_happen_is_detected(
    invariants: Invariants, write: TaskChanged | ReplicateChanged | CommandQueued, message: str
) -> None:
    with pytest.raises(Violation, match=message):
        invariants.before(write)


def test_a_write_that_the_chain_explains_passes(invariants: Invariants, chain: Chain) -> None:
    chain.hub.history |= {("TaskContribute", NAME, WALLET), ("TaskConsensus", NAME, "0xaa")}
    invariants.before(replicate_moves(R.CONTRIBUTING, R.CONTRIBUTED))
    invariants.before(task_moves(T.CONSENSUS_REACHED, consensus="0xaa"))


def test_an_acknowledged_update_must_be_stored(invariants: Invariants) -> None:
    def answer(outcome: UpdateOutcome) -> AnswerUpdate:
        return AnswerUpdate(WALLET, "s", 1, outcome, Action.WAIT)

    stored, lost = Update(1, NAME, R.COMPUTED), Update(1, NAME, R.CONTRIBUTING)
    invariants.answered(answer(UpdateOutcome.ACCEPTED), stored)
    invariants.answered(answer(UpdateOutcome.ACCEPTED), None)
    invariants.answered(answer(UpdateOutcome.REFUSED), lost)
    checks: tuple[Callable[[], None], ...] = (
        lambda: invariants.answered(answer(UpdateOutcome.ACCEPTED), lost),
        lambda: invariants.accepted(WALLET, lost),
    )
    for check in checks:
        with pytest.raises(Violation):
            check()


def test_a_command_is_executed_once(invariants: Invariants) -> None:
    invariants.executed(WALLET, 1)
    with pytest.raises(Violation, match="executed twice"):
        invariants.executed(WALLET, 1)


def test_a_violation_names_the_facts() -> None:
    must(1, "fine")
    with pytest.raises(Violation, match=r"^two uploaders of 0x01$"):
        must([], "two uploaders of", NAME)


@pytest.mark.parametrize(
    ("behaviour", "is_allowed"),
    [(WorkerBehaviour.HONEST, False), (WorkerBehaviour.BROKEN, True), (WorkerBehaviour.LYING, True)],
)
def test_only_workers_that_are_not_honest_may_be_quarantined(
    invariants: Invariants, environment: Environment, behaviour: WorkerBehaviour, is_allowed: bool
) -> None:
    environment.behaviours[WALLET] = behaviour
    model = WorkerModel("w", "1", "linux", "x86", slots=1, memory_bytes=1 << 30)
    saved = WorkerSaved(Worker(WALLET, model, 0.0, 0.0, quarantined_until=60.0))
    if is_allowed:
        invariants.before(saved)
    else:
        with pytest.raises(Violation, match="honest worker"):
            invariants.before(saved)


def test_an_enclave_task_is_initialized_after_its_sms_is_known(
    ledger: Ledger, invariants: Invariants, terms: DealTerms
) -> None:
    wanted = RequestTransaction(TransactionKind.INITIALIZE, NAME)
    invariants.requested(wanted)
    task = ledger.tasks[NAME]
    task.terms = replace(terms, tag="0x" + "3".zfill(64))
    invariants.requested(RequestTransaction(TransactionKind.CLAIM, NAME))
    with pytest.raises(Violation, match="without an SMS"):
        invariants.requested(wanted)
    task.sms_url = "https://sms"
    invariants.requested(wanted)
