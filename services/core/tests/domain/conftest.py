"""A pool in a test's hands: it speaks for chain, workers, adapter, proxy and clock, one sentence each."""

from dataclasses import replace
from random import Random

import pytest
from eth_utils import keccak
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.model import DealTerms, Receipt, WorkerModel
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.scheduler import Scheduler
from workerpool_core.simulation.deals import deal_terms, tasks_of
from workerpool_core.simulation.ledger import Ledger
from workerpool_poco.protocol.ids import ZERO_ADDRESS, TaskId, parse_deal_id
from workerpool_poco.protocol.model import ChainTask, Contribution
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus, ReplicateStatus

R = ReplicateStatus
T = 300
START = 1_000_000.0
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
HASH_A, HASH_B = "0x" + "aa" * 32, "0x" + "bb" * 32
SCONE, GRAMINE, TDX, GPU = ("0x" + f"{tag:064x}" for tag in (3, 5, 9, 0x100))


def wallet(number: int) -> str:
    return f"0xWorker{number}"


class Pool:
    """Every sentence handles one event, applies its writes to the ledger, and keeps its effects."""

    def __init__(self, policy: Policy | None = None, seed: int = 1) -> None:
        self.policy = policy or Policy()
        self.seed = seed
        self.now = START
        self.block = 10
        self.mined_at = 0.0
        self.ledger = Ledger()
        self.effects: list[object] = []
        self.last: list[object] = []
        self.sequences: dict[str, int] = {}
        self.sessions: dict[str, str] = {}
        self.models: dict[str, WorkerModel] = {}
        self.deals = 0
        self.scheduler = self._load()

    # --- machinery ---

    def _load(self) -> Scheduler:
        return Scheduler(self.policy, Random(self.seed), self.ledger.snapshot(self.policy, self.now))

    def _apply(self, outcome: d.Outcome) -> list[object]:
        for write in outcome.writes:
            self.ledger.apply(write)
        self.last = list(outcome.effects)
        self.effects.extend(outcome.effects)
        return self.last

    def handle(self, event: object) -> list[object]:
        return self._apply(self.scheduler.handle(event, self.now))

    def restart(self) -> list[object]:
        self.scheduler = self._load()
        self.sessions.clear()
        return self._apply(self.scheduler.start(self.now))

    def wait(self, seconds: float) -> None:
        """Let time pass, ringing every alarm at its time."""
        end = self.now + seconds
        while (due := self.scheduler.next_wake(self.now)) is not None and due <= end:
            self.now = max(self.now, due)
            self.handle(e.Tick())
        self.now = end

    def live(self, seconds: float, *numbers: int) -> None:
        """Let time pass while these workers keep giving signs of life."""
        end = self.now + seconds
        while self.now < end:
            self.wait(min(20, end - self.now))
            for number in numbers:
                self.beat(number)

    def sent(self, of: type, /, **fields: object) -> list:
        """Effects of a kind so far whose attributes have these values; a command's fields count as its own."""
        found = []
        for effect in self.effects:
            if isinstance(effect, of):
                subject = effect.command if isinstance(effect, d.SendCommand) else effect
                if all(getattr(subject, name) == value for name, value in fields.items()):
                    found.append(effect)
        return found

    def commands(self, number: int) -> list[str]:
        return [c.command.action.value for c in self.sent(d.SendCommand, wallet=wallet(number))]

    # --- what happens ---

    def terms(self, **changes: object) -> DealTerms:
        deal_id = parse_deal_id(keccak(b"deal%d" % self.deals))
        return deal_terms(deal_id, start=self.now, execution_s=T, **{"block": self.block, **changes})

    def deal(self, **changes: object) -> list[str]:
        """A deal is seen; returns its task ids."""
        terms = self.terms(**changes)
        self.deals += 1
        self.mine(deals=(e.DealSeen(terms),))
        return tasks_of(terms)

    def mine(self, *logs: e.TaskLog, deals: tuple = ()) -> list[object]:
        self.block += 1
        self.mined_at = self.now
        return self.handle(e.BlockSeen(self.block, f"0xb{self.block}", self.now, deals, logs))

    def bury(self) -> None:
        """Mine so many blocks that nothing stands in a block that can be taken back, and let that sink in."""
        for _ in range(self.policy.reorganisation_blocks + 1):
            self.mine()
        self.wait(self.policy.ended_retention_s + 1)

    def revert(self, blocks: int) -> list[object]:
        """The chain forgets its newest blocks; what comes next is another branch."""
        self.block -= blocks
        return self.handle(e.BlocksReverted(self.block))

    def log(
        self, kind: str, task: str, number: int | None = None, value: str = "", tx: str = ""
    ) -> e.TaskLog:
        worker = wallet(number) if number is not None else ""
        receipt = Receipt(self.block + 1, tx or f"0xtx{kind}{number}")
        return e.TaskLog(e.TaskLogKind[kind], task, receipt, worker, value)

    def ready(self, **changes: object) -> str:
        """A deal of one task whose initialization is mined."""
        (task,) = self.deal(**changes)
        self.mine(self.log("INITIALIZE", task))
        return task

    def connect(self, number: int, *, held: tuple = (), weight: int = 2, **model: object) -> list[object]:
        """A worker says Hello (again)."""
        name = wallet(number)
        base = self.models.get(name) or WorkerModel(f"w{number}", "1", "linux", "x86", 4, 8 << 30)
        self.models[name] = replace(base, **model)
        count = int(self.sessions.get(name, "0-0").split("-")[1]) + 1
        self.sessions[name] = f"{number}-{count}"
        self.sequences[name] = 0
        welcomed = self.handle(e.WorkerConnected(name, self.sessions[name], self.models[name], tuple(held)))
        self.last = welcomed + self.handle(e.WeightsRead(((name, weight),)))
        return self.last

    def connect_all(self, *numbers: int, **model: object) -> None:
        """Workers say Hello, who did not yet."""
        for number in numbers:
            if wallet(number) not in self.sessions:
                self.connect(number, **model)

    def acknowledge(self, number: int) -> None:
        """A worker takes every command that it was sent."""
        for effect in self.sent(d.SendCommand, wallet=wallet(number)):
            self.handle(e.CommandAcknowledged(wallet(number), effect.command.sequence))

    def cut(self, number: int) -> list[object]:
        return self.handle(e.WorkerDisconnected(wallet(number), self.sessions[wallet(number)]))

    def beat(self, number: int) -> list[object]:
        return self.handle(e.HeartbeatsReceived(((wallet(number), self.sessions[wallet(number)]),)))

    def report(
        self, number: int, task: str, *statuses: ReplicateStatus, **details: object
    ) -> list[d.AnswerUpdate]:
        """A worker reports statuses in one message; details go with the last. Returns the answers so far."""
        name = wallet(number)
        updates = []
        for place, status in enumerate(statuses, 1):
            self.sequences[name] += 1
            given = e.Details(**details) if place == len(statuses) else e.Details()
            updates.append(e.Update(self.sequences[name], task, status, given))
        effects = self.handle(e.StatusReported(name, self.sessions[name], tuple(updates)))
        return [effect for effect in effects if isinstance(effect, d.AnswerUpdate)]

    def compute(self, number: int, task: str) -> None:
        answers = self.report(number, task, *TO_COMPUTED)
        assert all(a.outcome is d.UpdateOutcome.ACCEPTED for a in answers)

    def contribute(
        self, number: int, task: str, value: str = HASH_A, consensus: bool = False
    ) -> list[object]:
        """A contribution is mined, with the consensus that it brings about if it does."""
        logs = [self.log("CONTRIBUTE", task, number, value)]
        if consensus:
            logs.append(self.log("CONSENSUS", task, value=value))
        return self.mine(*logs)

    def reveal(self, number: int, task: str) -> list[object]:
        return self.mine(self.log("REVEAL", task, number, "0xdd"))

    def upload(self, number: int, task: str) -> None:
        self.report(number, task, R.RESULT_UPLOADING, R.RESULT_UPLOADED, result_link=LINK)
        self.handle(e.ResultChecked(task, True, "/results/x"))

    def chain_task(
        self, task: str, status: str = "ACTIVE", *, winners: int = 0, reveals: int = 0, value: str = ""
    ) -> ChainTask:
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
        """What the chain says of one worker's contribution."""
        return Contribution(
            ContributionStatus[status], bytes.fromhex(result_hash[2:]), bytes(32), ZERO_ADDRESS, 1
        )

    def read(
        self, task: str, status: str | None = "ACTIVE", contributions: dict | None = None, **fields: object
    ) -> list[object]:
        """The chain answers from a block of now; contributions by worker number, as (status name, hash)."""
        if self.mined_at < self.now:
            self.mine()
        found = {
            wallet(number): self.contribution(name, value)
            for number, (name, value) in (contributions or {}).items()
        }
        chain = None if status is None else self.chain_task(task, status, **fields)
        return self.handle(e.TaskRead(task, self.block, chain, found, self.now))

    def refuse(self, task: str, kind: e.TransactionKind, status: str | None, **chain: object) -> None:
        """The adapter refuses a transaction, and once more, although the chain would take it."""
        for _ in range(2):
            self.handle(e.TransactionAnswered(task, kind, False, reason="reverted"))
            self.read(task, status, **chain)
            self.wait(self.policy.retry_s)

    def to_computed(self, *numbers: int, **changes: object) -> str:
        """A task whose result these workers, the only ones, have."""
        self.connect_all(*numbers)
        task = self.ready(**changes)
        for number in numbers:
            self.compute(number, task)
        return task

    def to_consensus(self, *numbers: int, trust: int = 1, **changes: object) -> str:
        """A task on whose result these workers agreed."""
        self.connect_all(*numbers)
        task = self.ready(trust=trust, **changes)
        for place, number in enumerate(numbers, 1):
            self.compute(number, task)
            self.report(number, task, R.CONTRIBUTING)
            self.contribute(number, task, consensus=place == len(numbers))
        return task

    def to_upload(self, *numbers: int, **changes: object) -> str:
        """A task whose result an uploader was asked for."""
        task = self.to_consensus(*numbers, **changes)
        for number in numbers:
            self.reveal(number, task)
        return task

    def to_finalizing(self, *numbers: int, **changes: object) -> str:
        task = self.to_upload(*numbers, **changes)
        self.upload(self.uploader(task), task)
        return task

    # --- what is so ---

    def task(self, task: str):
        return self.scheduler.tasks[task]

    def uploader(self, task: str) -> int:
        """The number of the worker that was asked for the result."""
        return int(self.task(task).uploader.removeprefix("0xWorker"))

    def status(self, task: str) -> str:
        """The stored status, which is what counts."""
        memory = self.scheduler.tasks.get(task)
        stored = self.ledger.tasks[task].status
        assert memory is None or memory.status is stored
        return stored.value

    def history(self, task: str) -> list[str]:
        return [change.status.value for change in self.ledger.tasks[task].history]

    def replicate(self, number: int, task: str):
        return self.ledger.replicates[task, wallet(number)]

    def statuses(self, number: int, task: str) -> list[str]:
        return [change.status.value for change in self.replicate(number, task).history]

    def assigned(self, task: str) -> list[str]:
        return [name for name, _ in sorted((w, t) for t, w in self.ledger.replicates if t == task)]


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def make_pool():
    return Pool
