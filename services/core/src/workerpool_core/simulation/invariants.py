"""Invariants that hold after every event, checked against the tables, the chain and the store."""

from workerpool_poco.protocol.statuses import ChainTaskStatus, ReplicateStatus, TaskStatus
from workerpool_poco.protocol.tags import TeeFramework, tee_framework

from workerpool_core.domain.decisions import (
    AnswerUpdate,
    CommandQueued,
    ReplicateChanged,
    ReplicateCreated,
    TaskChanged,
    UpdateOutcome,
    Write,
)
from workerpool_core.domain.events import Update
from workerpool_core.domain.model import Action, Modifier, Replicate, Task
from workerpool_core.domain.replicates import replicate_machine
from workerpool_core.domain.scheduler import Scheduler
from workerpool_core.domain.tasks import task_machine
from workerpool_core.simulation.chain.chain import Chain
from workerpool_core.simulation.ledger import Ledger

_R = ReplicateStatus
_DEAD = frozenset(
    {
        _R.START_FAILED,
        _R.COMPUTE_FAILED,
        _R.CONTRIBUTE_FAILED,
        _R.REVEAL_FAILED,
        _R.CONTRIBUTE_AND_FINALIZE_FAILED,
        _R.ABORTED,
        _R.FAILED,
        _R.COMPLETED,
        _R.COMPLETE_FAILED,
        _R.APP_DOWNLOAD_FAILED,
        _R.DATA_DOWNLOAD_FAILED,
    }
)
_SLOT = frozenset(list(_R)[: list(_R).index(_R.COMPUTED)]) - _DEAD
_UPLOADING = (_R.RESULT_UPLOAD_REQUESTED, _R.RESULT_UPLOADING)


class Violation(AssertionError):
    """A broken invariant."""


def must(condition: object, message: str, *facts: object) -> None:
    """Raise Violation unless a condition holds."""
    if not condition:
        raise Violation(" ".join([message, *map(str, facts)]))


class Invariants:
    """Checks every write before it is applied, every message to a worker, and that memory and store agree."""

    def __init__(self, ledger: Ledger, chain: Chain, archives: set[str]) -> None:
        self._ledger = ledger
        self._chain = chain
        self._archives = archives
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

    def _has_logged(self, what: str, task_id: str) -> bool:
        return any(w == what and t == task_id for w, t, _ in self._chain.hub.history)

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

    def _command(self, wallet: str, task_id: str, action: Action) -> None:
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

    # --- messages between core and a worker --------------------------------------------------

    def answered(self, answer: AnswerUpdate, update: Update | None) -> None:
        """Check that an update is stored when its acknowledgement is sent. Raises Violation."""
        if answer.outcome is not UpdateOutcome.REFUSED and update is not None:
            must(self._is_stored(answer.wallet, update), "acknowledged but not stored:", update)

    def accepted(self, wallet: str, update: Update) -> None:
        """Check that an update is stored when its worker learns that it was accepted. Raises Violation."""
        must(self._is_stored(wallet, update), "accepted but lost:", update)

    def executed(self, wallet: str, sequence: int) -> None:
        """Check that a worker executes a command once. Raises Violation."""
        must((wallet, sequence) not in self._executed, "a command was executed twice:", wallet, sequence)
        self._executed.add((wallet, sequence))

    def _is_stored(self, wallet: str, update: Update) -> bool:
        stored = self._ledger.replicates.get((update.task_id, wallet))
        return stored is not None and stored.has_reached(update.status)

    # --- assignments, checked in the scheduler's memory when they are decided ----------------

    def assigned(self, write: ReplicateCreated, scheduler: Scheduler, now: float) -> None:
        """Check an assignment that was just decided. Raises Violation."""
        new = write.replicate
        task = scheduler.tasks[new.task_id]
        live = scheduler.workers[new.wallet]
        worker = live.worker
        must(
            (new.task_id, new.wallet) not in self._ledger.replicates,
            "a task was assigned twice to",
            new.wallet,
        )
        must(now < task.terms.contribution_deadline, "assigned after its contribution deadline:", new.task_id)
        must(live.session is not None and not worker.lost, "assigned to a disconnected worker:", new.wallet)
        must(worker.drained_until <= now, "assigned to a drained worker:", new.wallet)
        must(worker.quarantined_until <= now, "assigned to a worker in quarantine:", new.wallet)
        framework = tee_framework(task.terms.tag)
        able = {None: True, TeeFramework.TDX: worker.model.tdx}.get(framework, worker.model.sgx)
        must(able, "assigned to a worker without the hardware:", new.wallet, framework)
        used = sum(
            replicates[new.wallet].last_relevant in _SLOT
            for replicates in (t.replicates for t in scheduler.tasks.values())
            if new.wallet in replicates
        )
        must(used <= worker.model.slots, "more tasks than slots:", new.wallet, used)
        must(
            self._is_needed(task, new, scheduler, now),
            "more contributions than the trust requires:",
            new.task_id,
        )

    def _is_needed(self, task: Task, new: Replicate, scheduler: Scheduler, now: float) -> bool:
        """Return whether the task needed `new`, by the formula of core spec §6.2."""
        groups: dict[str, int] = {}
        pending = 1
        waiting = 0
        for replicate in task.replicates.values():
            if replicate.wallet == new.wallet:
                break
            fresh = now < replicate.history[0].date + task.terms.max_execution_s
            if replicate.contribution_hash:
                value = replicate.contribution_hash
                groups[value] = groups.get(value, 1) * replicate.weight
            elif (
                fresh
                and replicate.last_relevant not in _DEAD
                and not scheduler.workers[replicate.wallet].worker.lost
            ):
                pending *= replicate.weight
                waiting += 1
        on_chain = self._chain.task(task.task_id)
        if groups and not waiting and on_chain is not None and on_chain.status is ChainTaskStatus.ACTIVE:
            # The hub checks for a consensus only at a contribution, so after a reopening it takes one more.
            return True
        best = max(groups.values(), default=0)
        worst = sum(groups.values()) - best
        forecast = best * pending if best and waiting else best or (pending if waiting else 0)
        trust = max(task.terms.trust, 1)
        return not forecast * trust > (1 + worst + forecast) * (trust - 1)

    # --- agreement --------------------------------------------------------------------------

    def agree(self, scheduler: Scheduler) -> None:
        """Check that memory and ledger agree on every live task, while no write is queued. Raises Violation."""
        for task in scheduler.tasks.values():
            stored = self._ledger.tasks[task.task_id]
            must(stored.history == task.history, "memory and store disagree on", task.task_id)
            must(
                stored.uploader == task.uploader, "memory and store disagree on the uploader of", task.task_id
            )
            busy = 0
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
                busy += replicate.last_relevant in _UPLOADING and not lost
            must(task.ended or busy <= 1 or not self._chain, "two uploaders of", task.task_id)
