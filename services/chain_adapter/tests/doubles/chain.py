"""A chain with one wallet and its tasks in memory: a scripted node, and the reads of the hub."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from workerpool_chain_adapter.domain.assessment import ChainSnapshot, Snapshot
from workerpool_chain_adapter.domain.command import Command
from workerpool_poco.errors import ChainUnreachable
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId, to_hex
from workerpool_poco.protocol.model import ChainTask, Deal, Resource
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_transactions.domain.answers import GasEstimate
from workerpool_transactions.domain.entry import Call

from libs.transactions.tests.doubles.node import WALLET, ScriptedNode

_ZERO = bytes(32)


@dataclass
class MemoryChain(ScriptedNode):
    """The `Node` and `ChainReads` ports. Every task is ACTIVE and can be claimed unless a test changes it."""

    statuses: dict[str, ChainTaskStatus] = field(default_factory=dict)
    """Statuses of tasks that are not ACTIVE."""
    unproven: bool = False
    """Whether the newest block is older than the final deadline that has passed."""
    estimates: dict[bytes, deque[GasEstimate]] = field(default_factory=dict)
    """Estimates by calldata: each is given once, the last one for good."""
    estimate_trouble: str = ""
    """Why the node cannot estimate; empty while it can."""
    gas_limit: int = 30_000_000

    async def snapshots(self, commands: Sequence[Command]) -> list[Snapshot]:
        """Return one snapshot per command; see `ChainReads`."""
        self._called("snapshots")
        block_time = 30 if self.unproven else 50
        return [
            ChainSnapshot(_DEAL, self._task(each.key.task_id), 100, 40, self.block, block_time, 50, WALLET)
            for each in commands
        ]

    async def block_gas_limit(self) -> int:
        """Return the gas limit; see `ChainReads`."""
        self._called("block_gas_limit")
        return self.gas_limit

    async def estimate(self, calls: Sequence[Call]) -> list[GasEstimate]:
        """Return 100,000 gas per call unless a test decides otherwise; see `Node`."""
        self._called("estimate")
        if self.estimate_trouble:
            raise ChainUnreachable(self.estimate_trouble)
        return [self._estimate(each.data) for each in calls]

    def _estimate(self, data: bytes) -> GasEstimate:
        scripted = self.estimates.get(data)
        if not scripted:
            return GasEstimate(100_000, self.block)
        return scripted.popleft() if len(scripted) > 1 else scripted[0]

    def _task(self, task_id: str) -> ChainTask:
        return replace(_TASK, status=self.statuses.get(task_id, ChainTaskStatus.ACTIVE))


_DEAL = Deal(
    deal_id=DealId(to_hex(_ZERO)),
    app=Resource(ZERO_ADDRESS, ZERO_ADDRESS, 0),
    dataset=Resource(ZERO_ADDRESS, ZERO_ADDRESS, 0),
    workerpool=Resource(ZERO_ADDRESS, WALLET, 0),
    trust=1,
    category=0,
    tag=_ZERO,
    requester=ZERO_ADDRESS,
    beneficiary=ZERO_ADDRESS,
    callback=ZERO_ADDRESS,
    params="",
    start_time=1,
    bot_first=0,
    bot_size=1_000,
    worker_stake=0,
    scheduler_reward_ratio=0,
    sponsor=ZERO_ADDRESS,
)
_TASK = ChainTask(
    task_id=TaskId(to_hex(_ZERO)),
    status=ChainTaskStatus.ACTIVE,
    deal_id=DealId(to_hex(_ZERO)),
    index=0,
    category_time=10,
    contribution_deadline=20,
    reveal_deadline=30,
    final_deadline=40,
    consensus_value=_ZERO,
    reveal_counter=0,
    winner_counter=0,
    contributors=(),
    result_digest=_ZERO,
    results=b"",
    results_timestamp=0,
    results_callback=b"",
)
