"""The process of a worker: its stream, its reports and its commands."""

from collections.abc import Callable
from typing import Any

from workerpool_kit import reasons
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause
from workerpool_poco.protocol.tags import tee_framework

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.model import Action, WorkerModel
from workerpool_core.simulation.checks.invariants import Invariants
from workerpool_core.simulation.core.process import Core
from workerpool_core.simulation.environment import Environment
from workerpool_core.simulation.link import Link
from workerpool_core.simulation.worker.execution import Execution
from workerpool_core.simulation.worker.journal import Entry, Journal

_R = ReplicateStatus
_C = ReplicateStatusCause
_HEARTBEAT_S = 10.0


class Worker:
    """One wallet with one process at a time; `weight` is its contribution weight on chain."""

    def __init__(
        self,
        environment: Environment,
        core: Core,
        invariants: Invariants,
        *,
        wallet: str,
        model: WorkerModel,
        weight: int,
    ) -> None:
        self._environment = environment
        self._core = core
        self._invariants = invariants
        self._model = model
        self.wallet = wallet
        self.weight = weight
        self.slot_bytes = model.memory_of_slot
        self.journal = Journal()
        self.process = 0
        self.running = False
        self.link: Link | None = None
        self.welcomed = False
        self.blocked_until = 0.0
        self._sessions = 0
        self._flush_scheduled = False
        self._execution = Execution(environment, self)

    # --- process and stream -----------------------------------------------------------------

    def start(self) -> None:
        """Start a process: resume the journal's replicates and connect."""
        self.process += 1
        self.running = True
        self._flush_scheduled = False
        self._execution = Execution(self._environment, self)
        for entry in list(self.journal.entries.values()):
            self._execution.drive(entry)
        self._connect()
        self._beat()

    def crash(self, *, wiped: bool) -> None:
        """Crash, and lose the journal if the disk is wiped; the caller closes the stream."""
        self._environment.note("worker.crashed", wallet=self.wallet, wiped=wiped)
        self.running = False
        if wiped:
            self.journal = Journal(sequence=self.journal.sequence)

    def is_running(self, process: int) -> bool:
        """Return whether a process is still running."""
        return self.running and self.process == process

    def later(self, delay: float, call: Callable[[], None]) -> None:
        """Schedule a callback after a delay in seconds, unless the process crashes before."""
        process = self.process

        def call_if_same_process() -> None:
            if self.is_running(process):
                call()

        self._environment.clock.later(delay, call_if_same_process)

    def _connect(self) -> None:
        core, environment = self._core, self._environment
        now = environment.clock.now
        if not core.alive or now < self.blocked_until:
            delay = max(self.blocked_until - now, environment.random.uniform(0.5, 3.0))
            self.later(delay, self._connect)
            return
        self._sessions += 1
        session = f"{self.wallet}/{core.process}/{self._sessions}"
        link = Link(environment.clock, environment.random, session)
        self.link, self.welcomed = link, False
        held = tuple(
            e.HeldReplicate(entry.task_id, entry.status, entry.has_result, entry.last_command)
            for entry in self.journal.entries.values()
        )
        hello = e.WorkerConnected(self.wallet, link.session, self._model, held)

        def arrive() -> None:
            core.links[self.wallet] = link
            core.submit(hello)

        link.carry("up", arrive)

    def disconnected(self) -> None:
        """Handle the end of the stream, and reconnect later."""
        self.link, self.welcomed = None, False
        if self.running:
            self.later(self._environment.random.uniform(0.1, 2.0), self._connect)

    def _beat(self) -> None:
        self.later(_HEARTBEAT_S, self._beat)
        if (link := self.link) is not None:
            heartbeat = e.HeartbeatsReceived(((self.wallet, link.session),))
            link.carry("up", lambda: self._core.submit(heartbeat))

    # --- reports ----------------------------------------------------------------------------

    def report(self, entry: Entry, status: ReplicateStatus, **details: Any) -> None:
        """Set a status and report it."""
        entry.status = status
        journal = self.journal
        journal.sequence += 1
        update = e.Update(journal.sequence, entry.task_id, status, e.Details(**details))
        journal.outbox[update.sequence] = update
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self.later(self._environment.random.uniform(0.0, 0.2), self._flush)

    def _flush(self) -> None:
        self._flush_scheduled = False
        if self.link is not None and self.welcomed and self.journal.outbox:
            # Resend all unanswered updates: a repeated sequence must be harmless.
            link, updates = self.link, tuple(self.journal.outbox.values())
            report = e.StatusReported(self.wallet, link.session, updates)
            link.carry("up", lambda: self._core.submit(report))

    def _answered(self, answer: d.AnswerUpdate) -> None:
        update = self.journal.outbox.pop(answer.sequence, None)
        if update is None:
            return
        entry = self.journal.entries.get(update.task_id)
        if entry is None:
            return
        if answer.outcome is d.UpdateOutcome.ACCEPTED:
            self._invariants.accepted(self.wallet, update)
        if answer.action is Action.ABORT and not entry.ended:
            entry.ended = True
            if answer.reason != reasons.UNKNOWN_REPLICATE:
                self.report(entry, _R.ABORTED, cause=_C.UNKNOWN)
        if entry.ended and not any(u.task_id == entry.task_id for u in self.journal.outbox.values()):
            del self.journal.entries[entry.task_id]

    # --- messages of core -------------------------------------------------------------------

    def receive(self, link: Link, effect: d.Effect) -> None:
        """Handle a message of core; ignore messages of older streams."""
        if not self.running or link is not self.link:
            return
        match effect:
            case d.Welcome(_, _, dropped):
                self.welcomed = True
                for task_id in dropped:
                    self.journal.drop(task_id)
                self._flush()
            case d.Assign(_, task_id):
                if self.wallet == self._environment.silent_wallet:
                    return
                if task_id not in self.journal.entries:
                    terms = self._environment.terms[task_id]
                    caf = tee_framework(terms.tag) is not None and terms.trust <= 1
                    self.journal.entries[task_id] = Entry(task_id, caf)
                self._execution.drive(self.journal.entries[task_id])
            case d.AnswerUpdate():
                self._answered(effect)
            case d.SendCommand(command):
                self._take_command(link, command.sequence, command.task_id, command.action)

    def _take_command(self, link: Link, sequence: int, task_id: TaskId, action: Action) -> None:
        journal = self.journal
        is_known = sequence in journal.taken_commands
        journal.taken_commands.add(sequence)
        acknowledgement = e.CommandAcknowledged(self.wallet, sequence)
        link.carry("up", lambda: self._core.submit(acknowledgement))
        entry = journal.entries.get(task_id)
        if is_known or entry is None or entry.ended:
            return
        self._invariants.executed(self.wallet, sequence)
        entry.last_command = max(entry.last_command, sequence)
        faults = self._environment.faults
        match action:
            case Action.ABORT:
                entry.ended = True
                self.report(entry, _R.ABORTED, cause=_C.CONSENSUS_REACHED)
            case Action.COMPLETE:
                entry.ended = True
                self.report(entry, _R.COMPLETING)
                self.report(entry, _R.COMPLETED)
            case Action.CONTRIBUTE | Action.CONTRIBUTE_AND_FINALIZE if entry.has_result:
                self._execution.contribute_again(entry)
            case Action.REVEAL if entry.has_result and not self._environment.happens(faults.ignored_reveal):
                self._execution.reveal(entry)
            case Action.UPLOAD if entry.has_result:
                self._execution.upload(entry)
