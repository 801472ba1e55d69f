"""A chain in memory with one task and the worker's contribution to it."""

from dataclasses import dataclass, field, replace

from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, TaskId
from workerpool_poco.protocol.model import Account, ChainTask, Contribution
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus
from workerpool_worker.domain.updates import Receipt
from workerpool_worker.domain.wallet.transactions import TransactionKind
from workerpool_worker.errors import RevertForeseen

from services.worker.tests.harness.builders import WORKER, chain_task

NO_CONTRIBUTION = Contribution(ContributionStatus.UNSET, bytes(32), bytes(32), ZERO_ADDRESS, 1)


@dataclass
class FakeChain:
    """Implements the `Chain` port. Tests subclass it for nodes that lag or refuse."""

    head: int = 7
    chain_task: ChainTask = field(default_factory=chain_task)
    stake: int = 100
    own_contribution: Contribution = NO_CONTRIBUTION
    pool_owner: Address = ZERO_ADDRESS
    has_gas: bool = True
    stuck: bool = False
    """Whether no new block arrives."""
    sent: list[str] = field(default_factory=list)
    journal: dict[TransactionKind, str] = field(default_factory=dict)
    """Hashes of transactions that were sent, also before a restart."""
    foresees_reverts: bool = False
    """Whether the nodes say that each transaction would revert."""
    resumable: Receipt | None = None
    """Receipt of the transactions in `journal`; None if they had no effect."""

    async def wait_block(self, number: int, limit_s: float) -> bool:
        if self.stuck:
            return self.head >= number
        self.head = max(self.head, number)
        return True

    async def task(self, task_id: TaskId) -> ChainTask:
        return self.chain_task

    async def account(self) -> Account:
        return Account(self.stake, 0)

    async def with_account(self, task_id: TaskId) -> tuple[ChainTask, Account]:
        return await self.task(task_id), await self.account()

    async def with_contribution(self, task_id: TaskId) -> tuple[ChainTask, Contribution]:
        return await self.task(task_id), await self.contribution(task_id)

    async def contribution(self, task_id: TaskId) -> Contribution:
        return self.own_contribution

    async def is_pool_owner(self, signer: Address) -> bool:
        return signer == self.pool_owner

    async def can_pay(self, gas: int) -> bool:
        return self.has_gas

    async def contribute(
        self,
        authorization: WorkerpoolAuthorization,
        result_hash: bytes,
        seal: bytes,
        *,
        foresee: bool = True,
    ) -> Receipt:
        if foresee and self.foresees_reverts:
            raise RevertForeseen("a node that lags says so")
        self.journal[TransactionKind.CONTRIBUTE] = "0xaa"
        self.sent.append("contribute")
        self.own_contribution = replace(
            NO_CONTRIBUTION, status=ContributionStatus.CONTRIBUTED, result_hash=result_hash
        )
        self.chain_task = replace(
            self.chain_task,
            status=ChainTaskStatus.REVEALING,
            consensus_value=result_hash,
            contributors=(WORKER,),
        )
        return Receipt(self.head, "0xaa")

    async def reveal(self, task_id: TaskId, digest: bytes, *, foresee: bool = True) -> Receipt:
        if foresee and self.foresees_reverts:
            raise RevertForeseen("a node that lags says so")
        self.journal[TransactionKind.REVEAL] = "0xcc"
        self.sent.append("reveal")
        self.own_contribution = replace(self.own_contribution, status=ContributionStatus.PROVED)
        return Receipt(self.head, "0xcc")

    async def resume(self, kind: TransactionKind, task_id: TaskId) -> Receipt | None:
        return self.resumable if kind in self.journal else None

    async def last_sent(self, kind: TransactionKind, task_id: TaskId) -> str:
        return self.journal.get(kind, "")
