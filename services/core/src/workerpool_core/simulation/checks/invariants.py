"""Invariants of writes, messages and memory, checked against the tables, the chain and the store."""

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

from workerpool_core.domain.decisions import (
    AnswerUpdate,
    CommandQueued,
    ReplicateChanged,
    ReplicateCreated,
    RequestTransaction,
    TaskChanged,
    UpdateOutcome,
    WorkerSaved,
    Write,
)
from workerpool_core.domain.dispatch.hardware import needs_enclave
from workerpool_core.domain.events import TransactionKind, Update
from workerpool_core.domain.model import Action, Modifier, Worker
from workerpool_core.domain.replicates import replicate_machine
from workerpool_core.domain.scheduler import Scheduler
from workerpool_core.domain.tasks import task_machine
from workerpool_core.simulation.checks.assignments import check_assignment
from workerpool_core.simulation.checks.violation import must
from workerpool_core.simulation.environment import Environment
from workerpool_core.simulation.ledger import Ledger

_R = ReplicateStatus
_UPLOADING = (_R.RESULT_UPLOAD_REQUESTED, _R.RESULT_UPLOADING)


class Invariants:
    """The checks of every write before it is applied, of every message to a worker, and of memory against store."""

    def __init__(self, ledger: Ledger, environment: Environment) -> None:
        self._environment = environment
        self._ledger = ledger
        self._chain = environment.chain
        self._archives = environment.archives
        self._executed: set[tuple[str, int]] = set()

    def before(self, write: Write) -> None:
        """Check one write against the ledger. Raises Violation."""
        match write:
            case TaskChanged():
                self._task(write)
            case ReplicateChanged():
                self._replicate(write)
            case CommandQueued(command):
                self._command(command.wallet, command.task_id, command.action)
            case WorkerSaved(worker):
                self._worker(worker)

    def _worker(self, worker: Worker) -> None:
        """Check that no honest worker is quarantined, whatever the deals and the chain do."""
        environment = self._environment
        known = self._ledger.workers.get(worker.wallet)
        is_new = worker.quarantined_until > (known.quarantined_until if known is not None else 0.0)
        is_honest = environment.is_honest(worker.wallet)
        must(not (is_new and is_honest), "an honest worker was quarantined:", worker.wallet)

    def _task(self, write: TaskChanged) -> None:
        task = self._ledger.tasks.get(write.task_id)
        must(task is not None, "a change of a task that was never stored:", write)
        assert task is not None
        current = task.status
        for change in write.changes:
            must(
                task_machine.may_follow(current, change.status),
                "a task transition that the table does not allow:",
                current,
                change.status,
            )
            current = change.status
        name = write.task_id
        if current is TaskStatus.COMPLETED:
            must(self._has_logged("TaskFinalize", name), "COMPLETED without TaskFinalize:", name)
        if any(change.status is TaskStatus.CONSENSUS_REACHED for change in write.changes):
            value = str(write.fields["consensus"])
            must(
                ("TaskConsensus", name, value) in self._chain.hub.history,
                "CONSENSUS_REACHED without TaskConsensus:",
                name,
            )

    def _has_logged(self, what: str, task_id: TaskId) -> bool:
        return (what, task_id) in self._chain.hub.logged

    def _replicate(self, write: ReplicateChanged) -> None:
        key = (write.task_id, write.wallet)
        replicate = self._ledger.replicates.get(key)
        must(replicate is not None, "a change of a replicate that was never stored:", write)
        assert replicate is not None
        current = replicate.status
        seen = {change.status for change in replicate.history}
        for change in write.changes:
            by_pool = change.modifier is Modifier.POOL_MANAGER
            legal = replicate_machine.may_follow(current, change.status) or (
                by_pool and replicate_machine.may_be_proven(current, change.status)
            )
            must(legal, "a replicate transition that the tables do not allow:", current, change.status, key)
            must(change.status not in seen, "a status was recorded twice:", change.status, key)
            seen.add(current := change.status)
            self._proof(change.status, write)

    def _proof(self, status: ReplicateStatus, write: ReplicateChanged) -> None:
        key = (write.task_id, write.wallet)
        history = self._chain.hub.history
        match status:
            case _R.CONTRIBUTED:
                must(("TaskContribute", *key) in history, "CONTRIBUTED without a contribution:", key)
            case _R.REVEALED:
                must(("TaskReveal", *key) in history, "REVEALED without a reveal:", key)
            case _R.CONTRIBUTE_AND_FINALIZE_DONE:
                must(
                    self._has_logged("TaskFinalize", write.task_id),
                    "CONTRIBUTE_AND_FINALIZE_DONE without a finalization:",
                    key,
                )
            case _R.RESULT_UPLOADED:
                must(write.task_id in self._archives, "RESULT_UPLOADED without an archive:", key)

    def _command(self, wallet: str, task_id: TaskId, action: Action) -> None:
        replicate = self._ledger.replicates.get((task_id, wallet))
        must(replicate is not None, "a command without a replicate:", wallet, task_id, action)
        assert replicate is not None
        if action is Action.REVEAL:
            value = replicate.contribution_hash
            must(
                ("TaskConsensus", task_id, value) in self._chain.hub.history,
                "REVEAL for a loser:",
                wallet,
                task_id,
            )
        if action is Action.UPLOAD:
            must(
                ("TaskReveal", task_id, wallet) in self._chain.hub.history, "UPLOAD without a reveal:", wallet
            )
        if action is Action.COMPLETE:
            must(self._has_logged("TaskFinalize", task_id), "COMPLETE before the finalization:", task_id)

    def requested(self, wanted: RequestTransaction) -> None:
        """Check that no enclave task is initialized before its SMS is known. Raises Violation."""
        task = self._ledger.tasks.get(wanted.task_id)
        is_initialization = wanted.kind is TransactionKind.INITIALIZE
        if is_initialization and task is not None and needs_enclave(task.terms.tag):
            must(bool(task.sms_url), "initialized without an SMS:", wanted.task_id)

    # --- messages between core and a worker --------------------------------------------------

    def answered(self, answer: AnswerUpdate, update: Update | None) -> None:
        """Check that an update is stored when its acknowledgement is sent. Raises Violation."""
        if answer.outcome is not UpdateOutcome.REFUSED and update is not None:
            must(self._is_stored(answer.wallet, update), "acknowledged but not stored:", update)

    def accepted(self, wallet: str, update: Update) -> None:
        """Check that an update is stored when its worker receives its acceptance. Raises Violation."""
        must(self._is_stored(wallet, update), "accepted but lost:", update)

    def executed(self, wallet: str, sequence: int) -> None:
        """Check that a worker executes a command once. Raises Violation."""
        must((wallet, sequence) not in self._executed, "a command was executed twice:", wallet, sequence)
        self._executed.add((wallet, sequence))

    def _is_stored(self, wallet: str, update: Update) -> bool:
        stored = self._ledger.replicates.get((update.task_id, wallet))
        return stored is not None and stored.has_reached(update.status)

    # --- the scheduler's memory -------------------------------------------------------------

    def assigned(self, write: ReplicateCreated, scheduler: Scheduler, now: float) -> None:
        """Check an assignment that was just decided. Raises Violation."""
        check_assignment(write, self._ledger, self._chain, scheduler, now)

    def agree(self, scheduler: Scheduler) -> None:
        """Check that memory and ledger agree on every live task, while no write is queued. Raises Violation."""
        for task in scheduler.tasks.values():
            stored = self._ledger.tasks[task.task_id]
            must(stored.history == task.history, "memory and store disagree on", task.task_id)
            must(
                stored.uploader == task.uploader, "memory and store disagree on the uploader of", task.task_id
            )
            uploading = 0
            for replicate in task.replicates.values():
                kept = self._ledger.replicates[replicate.task_id, replicate.wallet]
                must(
                    kept.history == replicate.history
                    and kept.contribution_hash == replicate.contribution_hash,
                    "memory and store disagree on",
                    replicate.task_id,
                    replicate.wallet,
                )
                lost = scheduler.workers[replicate.wallet].worker.lost
                uploading += replicate.last_relevant in _UPLOADING and not lost
            must(task.ended or uploading <= 1, "two uploaders of", task.task_id)
