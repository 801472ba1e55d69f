"""A pool that a test drives step by step: chain, workers, chain adapter, result proxy and clock."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.dispatch.hardware import needs_enclave
from workerpool_core.domain.model import DealTerms, Receipt, WorkerModel
from workerpool_core.domain.policy import Policy
from workerpool_core.simulation.deals import deal_terms, tasks_of
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId, from_hex, to_hex
from workerpool_poco.protocol.model import ChainTask, Contribution
from workerpool_poco.protocol.results import callback_digest, result_hash
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus, ReplicateStatus

from services.core.tests.doubles.scripted_core import ScriptedCore, wallet

R = ReplicateStatus
Contributions = Mapping[int, tuple[str, str]]
"""Contributions by worker number, as pairs of status name and result hash."""
T = 300
"""The category time, in seconds."""
SMS = "https://sms"
LINK = '{"storage":"ipfs","location":"/results/0x"}'
TO_COMPUTED = (
    R.STARTING,
    R.STARTED,
    R.APP_DOWNLOADING,
    R.APP_DOWNLOADED,
    R.DATA_DOWNLOADING,
    R.DATA_DOWNLOADED,
    R.COMPUTING,
    R.COMPUTED,
)
CALLBACK_DATA = "0x01"
"""What the app of a callback deal leaves for the callback contract."""
HASH_A, HASH_B = "0x" + "aa" * 32, "0x" + "bb" * 32
SCONE, GRAMINE, TDX, GPU = ("0x" + f"{tag:064x}" for tag in (3, 5, 9, 0x100))


def value_of(task: TaskId, **terms: Any) -> str:
    """Return the hash that workers contribute when an app succeeded: that of CALLBACK_DATA for a callback deal."""
    if "callback" not in terms:
        return HASH_A
    return to_hex(result_hash(task, callback_digest(from_hex(CALLBACK_DATA))))


class ScriptedPool(ScriptedCore):
    """A scripted core with a chain, workers, a chain adapter and a result proxy."""

    def __init__(self, policy: Policy | None = None, seed: int = 1) -> None:
        super().__init__(policy, seed)
        self.block = 10
        self.mined_at = 0.0
        self.sequences: dict[str, int] = {}
        self.sessions: dict[str, str] = {}
        self.models: dict[str, WorkerModel] = {}
        self.deals = 0

    def restart(self) -> list[d.Effect]:
        """Restart core from the ledger, without any session; return the effects of the start."""
        self.sessions.clear()
        return super().restart()

    def live(self, seconds: float, *numbers: int) -> None:
        """Let time pass with heartbeats of these workers."""
        end = self.now + seconds
        while self.now < end:
            self.wait(min(20, end - self.now))
            for number in numbers:
                self.beat(number)

    def terms(self, **changes: Any) -> DealTerms:
        """Return the terms of the next deal, with some of them changed."""
        deal_id = DealId(f"0x{self.deals + 1:064x}")
        return deal_terms(deal_id, start=self.now, execution_s=T, **{"block": self.block, **changes})

    def deal(self, **changes: Any) -> list[TaskId]:
        """Mine a deal; return its task ids."""
        terms = self.terms(**changes)
        self.deals += 1
        self.mine(deals=(e.DealSeen(terms),))
        return tasks_of(terms)

    def mine(self, *logs: e.TaskLog, deals: tuple[e.DealSeen, ...] = ()) -> list[d.Effect]:
        """Mine and follow a block; return its effects."""
        self.block += 1
        self.mined_at = self.now
        return self.handle(e.BlockSeen(self.block, f"0xb{self.block}", self.now, deals, logs))

    def bury(self) -> None:
        """Mine until no reorganisation can reach the present blocks, and let the retention of ended tasks pass."""
        for _ in range(self.policy.reorganisation_blocks + 1):
            self.mine()
        self.wait(self.policy.ended_retention_s + 1)

    def revert(self, blocks: int) -> list[d.Effect]:
        """Remove the newest blocks; the next block starts another branch."""
        self.block -= blocks
        return self.handle(e.BlocksReverted(self.block))

    def log(
        self, kind: str, task: TaskId, number: int | None = None, value: str = "", tx: str = ""
    ) -> e.TaskLog:
        """Return a log for the next block."""
        worker = wallet(number) if number is not None else ""
        receipt = Receipt(self.block + 1, tx or f"0xtx{kind}{number}")
        return e.TaskLog(e.TaskLogKind[kind], task, receipt, worker, value)

    def ready(self, **changes: Any) -> TaskId:
        """Mine a deal of one task and its initialization; return the task id."""
        (task,) = self.deal(**changes)
        if needs_enclave(self.task(task).terms.tag):
            self.handle(e.SmsFound(task, SMS))
        self.mine(self.log("INITIALIZE", task))
        return task

    def connect(
        self, number: int, *, held: Iterable[e.HeldReplicate] = (), weight: int = 2, **model: Any
    ) -> list[d.Effect]:
        """Let a worker say Hello, possibly again, and read its weight."""
        name = wallet(number)
        base = self.models.get(name) or WorkerModel(f"w{number}", "1", "linux", "x86", 4, 8 << 30)
        self.models[name] = replace(base, **model)
        count = int(self.sessions.get(name, "0-0").split("-")[1]) + 1
        self.sessions[name] = f"{number}-{count}"
        self.sequences[name] = 0
        welcomed = self.handle(e.WorkerConnected(name, self.sessions[name], self.models[name], tuple(held)))
        self.last = welcomed + self.handle(e.WeightsRead(((name, weight),)))
        return self.last

    def connect_all(self, *numbers: int, **model: Any) -> None:
        """Connect those of the workers that are not connected."""
        for number in numbers:
            if wallet(number) not in self.sessions:
                self.connect(number, **model)

    def acknowledge(self, number: int) -> None:
        """Acknowledge every command that a worker was sent."""
        for effect in self.sent(d.SendCommand, wallet=wallet(number)):
            self.handle(e.CommandAcknowledged(wallet(number), effect.command.sequence))

    def cut(self, number: int) -> list[d.Effect]:
        """Close a worker's stream."""
        return self.handle(e.WorkerDisconnected(wallet(number), self.sessions[wallet(number)]))

    def beat(self, number: int) -> list[d.Effect]:
        """Let a worker send a heartbeat."""
        return self.handle(e.HeartbeatsReceived(((wallet(number), self.sessions[wallet(number)]),)))

    def report(
        self, number: int, task: TaskId, *statuses: ReplicateStatus, **details: Any
    ) -> list[d.AnswerUpdate]:
        """Report statuses in one message, the details with the last; return the answers."""
        name = wallet(number)
        updates = []
        for place, status in enumerate(statuses, 1):
            self.sequences[name] += 1
            given = e.Details(**details) if place == len(statuses) else e.Details()
            updates.append(e.Update(self.sequences[name], task, status, given))
        effects = self.handle(e.StatusReported(name, self.sessions[name], tuple(updates)))
        return [effect for effect in effects if isinstance(effect, d.AnswerUpdate)]

    def compute(self, number: int, task: TaskId) -> None:
        """Report every status up to COMPUTED."""
        answers = self.report(number, task, *TO_COMPUTED)
        assert all(a.outcome is d.UpdateOutcome.ACCEPTED for a in answers)

    def contribute(
        self, number: int, task: TaskId, value: str = HASH_A, consensus: bool = False
    ) -> list[d.Effect]:
        """Mine a contribution, with the consensus if it causes one."""
        logs = [self.log("CONTRIBUTE", task, number, value)]
        if consensus:
            logs.append(self.log("CONSENSUS", task, value=value))
        return self.mine(*logs)

    def reveal(self, number: int, task: TaskId) -> list[d.Effect]:
        """Mine a reveal."""
        return self.mine(self.log("REVEAL", task, number, "0xdd"))

    def upload(self, number: int, task: TaskId) -> None:
        """Report an upload that the result proxy confirms."""
        self.report(number, task, R.RESULT_UPLOADING, R.RESULT_UPLOADED, result_link=LINK)
        self.handle(e.ResultChecked(task, True, "/results/x"))

    def chain_task(
        self, task: TaskId, status: str = "ACTIVE", *, winners: int = 0, reveals: int = 0, value: str = ""
    ) -> ChainTask:
        """Return a task as it is read from the chain."""
        terms = self.task(task).terms
        consensus = self.task(task).reveal_deadline or self.now + 2 * T
        return ChainTask(
            task_id=TaskId(task),
            status=ChainTaskStatus[status],
            deal_id=terms.deal_id,
            index=0,
            category_time=T,
            contribution_deadline=int(terms.contribution_deadline),
            reveal_deadline=int(consensus),
            final_deadline=int(terms.final_deadline),
            consensus_value=bytes.fromhex(value[2:]),
            reveal_counter=reveals,
            winner_counter=winners,
            contributors=(),
            result_digest=bytes(32),
            results=LINK.encode() if status == "COMPLETED" else b"",
            results_timestamp=0,
            results_callback=b"",
        )

    @staticmethod
    def contribution(status: str, result_hash: str) -> Contribution:
        """Return a contribution as it is read from the chain."""
        return Contribution(
            ContributionStatus[status], bytes.fromhex(result_hash[2:]), bytes(32), ZERO_ADDRESS, 1
        )

    def read(
        self,
        task: TaskId,
        status: str | None = "ACTIVE",
        contributions: Contributions | None = None,
        **fields: Any,
    ) -> list[d.Effect]:
        """Answer a read from a block at the present time; contributions by worker number, as (status name, hash)."""
        if self.mined_at < self.now:
            self.mine()
        found = {
            wallet(number): self.contribution(name, value)
            for number, (name, value) in (contributions or {}).items()
        }
        chain = None if status is None else self.chain_task(task, status, **fields)
        return self.answer_reads(e.TaskRead(task, self.block, chain, found, self.now))

    def answer_reads(self, *reads: e.TaskRead) -> list[d.Effect]:
        """Answer reads of the chain together."""
        return self.handle(e.TasksRead(reads))

    def refuse(self, task: TaskId, kind: e.TransactionKind, status: str | None, **chain: Any) -> None:
        """Refuse a transaction twice, although the chain would accept it."""
        for _ in range(2):
            self.handle(e.TransactionAnswered(task, kind, False, reason="reverted"))
            self.read(task, status, **chain)
            self.wait(self.policy.retry_s)

    def to_started(self, number: int, **changes: Any) -> TaskId:
        """Return a task that a worker has started."""
        self.connect(number)
        task = self.ready(**changes)
        self.report(number, task, R.STARTING, R.STARTED)
        return task

    def to_computed(self, *numbers: int, **changes: Any) -> TaskId:
        """Return a task that these workers have computed."""
        self.connect_all(*numbers)
        task = self.ready(**changes)
        for number in numbers:
            self.compute(number, task)
        return task

    def to_consensus(self, *numbers: int, trust: int = 1, **changes: Any) -> TaskId:
        """Return a task with a consensus of these workers."""
        self.connect_all(*numbers)
        task = self.ready(trust=trust, **changes)
        for place, number in enumerate(numbers, 1):
            self.compute(number, task)
            self.report(number, task, R.CONTRIBUTING)
            self.contribute(number, task, value_of(task, **changes), consensus=place == len(numbers))
        return task

    def to_upload(self, *numbers: int, **changes: Any) -> TaskId:
        """Return a task whose upload was requested."""
        task = self.to_consensus(*numbers, **changes)
        for number in numbers:
            self.reveal(number, task)
        return task

    def to_finalizing(self, *numbers: int, **changes: Any) -> TaskId:
        """Return a task whose finalization was requested."""
        task = self.to_upload(*numbers, **changes)
        self.upload(self.uploader(task), task)
        return task
