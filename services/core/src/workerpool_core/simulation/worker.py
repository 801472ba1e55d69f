"""A worker: a journal that survives it, stages that do not, and the faults of its kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workerpool_kit import reasons
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import (
    ChainTaskStatus,
    ContributionStatus,
    ReplicateStatus,
    ReplicateStatusCause,
)
from workerpool_poco.protocol.tags import tee_framework

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.decisions import UpdateOutcome
from workerpool_core.domain.model import Action, Receipt, WorkerModel
from workerpool_core.simulation.chain import Transaction
from workerpool_core.simulation.invariants import must
from workerpool_core.simulation.link import Link

if TYPE_CHECKING:
    from workerpool_core.simulation.world import World

_R = ReplicateStatus
_C = ReplicateStatusCause
_ONGOING = {
    _R.CREATED: _R.STARTING,
    _R.STARTED: _R.APP_DOWNLOADING,
    _R.APP_DOWNLOADED: _R.DATA_DOWNLOADING,
    _R.DATA_DOWNLOADED: _R.COMPUTING,
}
_DONE = {
    _R.STARTING: (_R.STARTED, _R.START_FAILED, _C.CHAIN_UNREACHABLE),
    _R.APP_DOWNLOADING: (_R.APP_DOWNLOADED, _R.APP_DOWNLOAD_FAILED, _C.UNKNOWN),
    _R.DATA_DOWNLOADING: (_R.DATA_DOWNLOADED, _R.DATA_DOWNLOAD_FAILED, _C.UNKNOWN),
    _R.COMPUTING: (_R.COMPUTED, _R.COMPUTE_FAILED, _C.APP_COMPUTE_FAILED),
}
_SENT = (_R.CONTRIBUTING, _R.CONTRIBUTED, _R.CONTRIBUTE_AND_FINALIZE_ONGOING, _R.REVEALING)


@dataclass(slots=True)
class Entry:
    """A replicate in the worker's journal."""

    task_id: TaskId
    caf: bool
    status: ReplicateStatus = _R.CREATED
    value: str = ""
    result: bool = False
    over: bool = False
    last_command: int = 0


@dataclass(slots=True)
class Journal:
    """What survives the worker's process, unless its disk is wiped."""

    entries: dict[str, Entry] = field(default_factory=dict)
    outbox: dict[int, e.Update] = field(default_factory=dict)
    sequence: int = 0
    taken: set[int] = field(default_factory=set)


class Worker:
    """One wallet, one process at a time."""

    def __init__(self, world: World, wallet: str, model: WorkerModel, weight: int) -> None:
        self._world = world
        self.wallet = wallet
        self.model = model
        self.weight = weight
        self.journal = Journal()
        self.running = False
        self.link: Link | None = None
        self.welcomed = False
        self.blocked_until = 0.0
        self._process = 0
        self._sessions = 0
        self._flushing = False
        self._driven: set[str] = set()

    # --- process and connection -------------------------------------------------------------

    def start(self) -> None:
        """Start the process: go on where the journal says, and connect."""
        self._process += 1
        self.running = True
        self._flushing = False
        self._driven = set()
        for entry in list(self.journal.entries.values()):
            self._drive(entry)
        self._connect()
        self._beat()

    def crash(self, wiped: bool) -> None:
        """Die; with the disk, if it is wiped."""
        self._world.note("worker dies", wallet=self.wallet, wiped=wiped)
        self.running = False
        self._world.cut(self.wallet)
        if wiped:
            sequence = self.journal.sequence
            self.journal = Journal(sequence=sequence)

    def _later(self, delay: float, call: Callable[[], None]) -> None:
        process = self._process

        def when_same_process() -> None:
            if self.running and self._process == process:
                call()

        self._world.clock.later(delay, when_same_process)

    def _connect(self) -> None:
        core, now = self._world.core, self._world.clock.now
        if not core.alive or now < self.blocked_until:
            self._later(max(self.blocked_until - now, self._world.random.uniform(0.5, 3.0)), self._connect)
            return
        self._sessions += 1
        link = Link(self._world.clock, self._world.random, f"{self.wallet}/{core.life}/{self._sessions}")
        self.link, self.welcomed = link, False
        held = tuple(
            e.HeldReplicate(entry.task_id, entry.status, entry.result, entry.last_command)
            for entry in self.journal.entries.values()
        )
        hello = e.WorkerConnected(self.wallet, link.session, self.model, held)

        def arrive() -> None:
            core.links[self.wallet] = link
            core.submit(hello)

        link.carry("up", arrive)

    def disconnected(self) -> None:
        """Notice the end of the stream and try again."""
        self.link, self.welcomed = None, False
        if self.running:
            self._later(self._world.random.uniform(0.1, 2.0), self._connect)

    def _beat(self) -> None:
        self._later(10.0, self._beat)
        if (link := self.link) is not None:
            link.carry(
                "up", lambda: self._world.core.submit(e.HeartbeatsReceived(((self.wallet, link.session),)))
            )

    # --- reports ----------------------------------------------------------------------------

    def _report(self, entry: Entry, status: ReplicateStatus, **details: Any) -> None:
        entry.status = status
        journal = self.journal
        journal.sequence += 1
        update = e.Update(journal.sequence, entry.task_id, status, e.Details(**details))
        journal.outbox[update.sequence] = update
        if not self._flushing:
            self._flushing = True
            self._later(self._world.random.uniform(0.0, 0.2), self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self.link is not None and self.welcomed and self.journal.outbox:
            # Whatever has no answer yet goes along again: a repeated sequence must be harmless.
            link, updates = self.link, tuple(self.journal.outbox.values())
            report = e.StatusReported(self.wallet, link.session, updates)
            link.carry("up", lambda: self._world.core.submit(report))

    def _answered(self, answer: d.AnswerUpdate) -> None:
        update = self.journal.outbox.pop(answer.sequence, None)
        if update is None:
            return
        entry = self.journal.entries.get(update.task_id)
        if entry is None:
            return
        if answer.outcome is UpdateOutcome.ACCEPTED:
            self._world.accepted(self.wallet, update)
        if answer.action is Action.ABORT and not entry.over:
            entry.over = True
            if answer.reason != reasons.UNKNOWN_REPLICATE:
                self._report(entry, _R.ABORTED, cause=_C.UNKNOWN)
        if entry.over and not any(u.task_id == entry.task_id for u in self.journal.outbox.values()):
            del self.journal.entries[entry.task_id]

    # --- orders -----------------------------------------------------------------------------

    def receive(self, link: Link, effect: d.Effect) -> None:
        """Take a message of the scheduler."""
        if not self.running or link is not self.link:
            return
        match effect:
            case d.Welcome(_, _, dropped):
                self.welcomed = True
                for task_id in dropped:
                    self.journal.entries.pop(task_id, None)
                    outbox = self.journal.outbox
                    self.journal.outbox = {s: u for s, u in outbox.items() if u.task_id != task_id}
                self._flush()
            case d.Assign(_, task_id):
                if task_id not in self.journal.entries:
                    terms = self._world.terms_of(task_id)
                    caf = tee_framework(terms.tag) is not None and terms.trust <= 1
                    self.journal.entries[task_id] = Entry(task_id, caf)
                self._drive(self.journal.entries[task_id])
            case d.AnswerUpdate():
                self._answered(effect)
            case d.SendCommand(command):
                self._command(link, command.sequence, command.task_id, command.action)

    def _command(self, link: Link, sequence: int, task_id: TaskId, action: Action) -> None:
        journal = self.journal
        known = sequence in journal.taken
        journal.taken.add(sequence)
        ack = e.CommandAcknowledged(self.wallet, sequence)
        link.carry("up", lambda: self._world.core.submit(ack))
        entry = journal.entries.get(task_id)
        if known or entry is None or entry.over:
            return
        self._world.acted(self.wallet, sequence)
        entry.last_command = max(entry.last_command, sequence)
        match action:
            case Action.ABORT:
                entry.over = True
                self._report(entry, _R.ABORTED, cause=_C.CONSENSUS_REACHED)
            case Action.COMPLETE:
                entry.over = True
                self._report(entry, _R.COMPLETING)
                self._report(entry, _R.COMPLETED)
            case Action.CONTRIBUTE | Action.CONTRIBUTE_AND_FINALIZE if entry.result:
                if entry.status in _SENT and not self._contributed(entry):
                    self._send_contribution(entry)
            case Action.REVEAL if entry.result and not self._world.is_lazy(self.wallet):
                if entry.status is not _R.REVEALING:
                    self._report(entry, _R.REVEALING)
                self._send(entry, "reveal", self._revealed)
            case Action.UPLOAD if entry.result:
                self._report(entry, _R.RESULT_UPLOADING)
                self._later(self._world.random.uniform(0.1, 10.0), lambda: self._uploaded(entry))

    # --- the work ---------------------------------------------------------------------------

    def _alive(self, entry: Entry) -> bool:
        return not entry.over and self.journal.entries.get(entry.task_id) is entry

    def _drive(self, entry: Entry) -> None:
        """Take a replicate through its stages up to the contribution, from wherever it is."""
        if entry.task_id in self._driven or not self._alive(entry):
            return
        self._driven.add(entry.task_id)
        self._next(entry)

    def _next(self, entry: Entry) -> None:
        if not self._alive(entry):
            return
        world = self._world
        if entry.status in _ONGOING:
            self._report(entry, _ONGOING[entry.status])
        if entry.status in _DONE:
            stage = entry.status
            longest = 15.0 if stage is _R.COMPUTING else 2.0
            self._later(world.random.uniform(0.1, longest), lambda: self._stage_ends(entry, stage))
        elif entry.status is _R.COMPUTED:
            ongoing = _R.CONTRIBUTE_AND_FINALIZE_ONGOING if entry.caf else _R.CONTRIBUTING
            self._report(entry, ongoing)
            if world.happens(world.faults.lie):
                done = _R.CONTRIBUTE_AND_FINALIZE_DONE if entry.caf else _R.CONTRIBUTED
                self._report(entry, done, receipt=Receipt(10**9, "0xlie"))
            else:
                self._send_contribution(entry)
        elif entry.status in (_R.CONTRIBUTING, _R.CONTRIBUTE_AND_FINALIZE_ONGOING):
            if self._contributed(entry):
                self._contribution_mined(entry, True)
            else:
                self._send_contribution(entry)
        elif entry.status is _R.REVEALING:
            self._send(entry, "reveal", self._revealed)
        elif entry.status is _R.RESULT_UPLOADING:
            self._later(world.random.uniform(0.1, 10.0), lambda: self._uploaded(entry))

    def _stage_ends(self, entry: Entry, stage: ReplicateStatus) -> None:
        if not self._alive(entry) or entry.status is not stage:
            return
        world = self._world
        done, failed, cause = _DONE[stage]
        if stage is _R.STARTING:
            task = world.chain.task(entry.task_id)
            if task is None or task.status is not ChainTaskStatus.ACTIVE:
                self._report(entry, failed, cause=_C.TASK_NOT_ACTIVE)
                return
        if world.stage_fails(self.wallet):
            self._report(entry, failed, cause=cause)
            return
        if stage is _R.APP_DOWNLOADING and world.happens(world.faults.missing_image):
            self._contribute_error(entry)
            return
        if stage is _R.COMPUTING:
            entry.result = True
            wrong = world.happens(world.faults.wrong_result)
            entry.value = "0x" + ("bb" if wrong else "aa") * 32
            self._report(entry, done, stdout="out", exit_code=0)
        else:
            self._report(entry, done)
        self._next(entry)

    def _contribute_error(self, entry: Entry) -> None:
        """What the requester lacks becomes the result, contributed in the standard way even by an enclave task."""
        entry.result, entry.value, entry.caf = True, "0x" + "ee" * 32, False
        self._report(entry, _R.APP_DOWNLOAD_FAILED, cause=_C.APP_IMAGE_DOWNLOAD_FAILED)
        self._report(entry, _R.CONTRIBUTING)
        self._send_contribution(entry)

    def _contributed(self, entry: Entry) -> bool:
        task = self._world.chain.head.state.get(entry.task_id)
        return task is not None and self.wallet in task.contributions

    def _send_contribution(self, entry: Entry) -> None:
        kind = "contribute_and_finalize" if entry.caf else "contribute"
        self._send(entry, kind, self._contribution_mined)

    def _send(self, entry: Entry, kind: str, mined: Callable[[Entry, bool], None]) -> None:
        process = self._process

        def done(ok: bool, _block: int) -> None:
            if self.running and self._process == process and self._alive(entry):
                mined(entry, ok)

        if self._is_waiting(entry, kind):
            # An earlier process sent it; nobody will tell this one, so it looks for itself.
            self._later(5.0, lambda: self._look(entry, kind, mined))
        else:
            self._world.chain.send(Transaction(kind, entry.task_id, self.wallet, entry.value, done=done))

    def _is_waiting(self, entry: Entry, kind: str) -> bool:
        mempool = self._world.chain.mempool
        return any((t.kind, t.task_id, t.sender) == (kind, entry.task_id, self.wallet) for t in mempool)

    def _look(self, entry: Entry, kind: str, mined: Callable[[Entry, bool], None]) -> None:
        if not self._alive(entry):
            return
        if self._is_waiting(entry, kind):
            self._later(5.0, lambda: self._look(entry, kind, mined))
        else:
            mined(entry, False)

    def _contribution_mined(self, entry: Entry, ok: bool) -> None:
        caf = _R.CONTRIBUTE_AND_FINALIZE_ONGOING
        if entry.status not in (_R.CONTRIBUTING, caf):
            return
        if ok or self._contributed(entry):
            done = _R.CONTRIBUTE_AND_FINALIZE_DONE if entry.status is caf else _R.CONTRIBUTED
            if self._world.happens(0.7):
                self._report(entry, done, receipt=Receipt(1, "0xtx"))
        else:
            failed = _R.CONTRIBUTE_AND_FINALIZE_FAILED if entry.status is caf else _R.CONTRIBUTE_FAILED
            self._report(entry, failed, cause=_C.TASK_NOT_ACTIVE)

    def _revealed(self, entry: Entry, ok: bool) -> None:
        if entry.status is not _R.REVEALING:
            return
        task = self._world.chain.head.state.get(entry.task_id)
        found = task.contributions.get(self.wallet) if task is not None else None
        proved = found is not None and found[0] is ContributionStatus.PROVED
        if ok or proved:
            self._report(entry, _R.REVEALED, receipt=Receipt(1, "0xtx"))
        else:
            self._report(entry, _R.REVEAL_FAILED, cause=_C.CANNOT_REVEAL)

    def _uploaded(self, entry: Entry) -> None:
        if not self._alive(entry) or entry.status is not _R.RESULT_UPLOADING:
            return
        if self._world.stage_fails(self.wallet):
            self._report(entry, _R.RESULT_UPLOAD_FAILED, cause=_C.UNKNOWN)
            return
        must(entry.result, "uploaded nothing")
        if not self._world.happens(self._world.faults.lie):
            self._world.deposited.add(entry.task_id)
        self._report(entry, _R.RESULT_UPLOADED, result_link="/results/" + entry.task_id)
