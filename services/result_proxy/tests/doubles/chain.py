"""The hub contract's state in memory."""

from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, DealId, TaskId
from workerpool_poco.protocol.model import ChainTask, Contribution, Deal, Resource
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus
from workerpool_result_proxy.errors import ChainUnreachable


class MemoryChain:
    """The `ChainView` port over dictionaries that a test fills."""

    def __init__(self) -> None:
        self.tasks: dict[TaskId, ChainTask] = {}
        self.deals: dict[DealId, Deal] = {}
        self.contributions: dict[tuple[TaskId, Address], Contribution] = {}
        self.reachable = True
        self.reads = 0
        """Number of requests so far."""

    async def task(self, task_id: TaskId) -> ChainTask:
        """Return `viewTask`; see `ChainView`."""
        self._check_reachable()
        return self.tasks.get(task_id, NO_TASK)

    async def deal(self, deal_id: DealId) -> Deal:
        """Return `viewDeal`; see `ChainView`."""
        self._check_reachable()
        return self.deals.get(deal_id, NO_DEAL)

    async def contribution(self, task_id: TaskId, worker: Address) -> Contribution:
        """Return `viewContribution`; see `ChainView`."""
        self._check_reachable()
        return self.contributions.get((task_id, worker), _NO_CONTRIBUTION)

    def _check_reachable(self) -> None:
        self.reads += 1
        if not self.reachable:
            raise ChainUnreachable("the blockchain node does not answer; try again later")


_ZERO_ID = "0x" + "00" * 32
_ZERO = bytes(32)
_NOTHING = Resource(ZERO_ADDRESS, ZERO_ADDRESS, 0)
_NO_CONTRIBUTION = Contribution(ContributionStatus.UNSET, _ZERO, _ZERO, ZERO_ADDRESS, 0)
NO_TASK = ChainTask(
    task_id=TaskId(_ZERO_ID),
    status=ChainTaskStatus.UNSET,
    deal_id=DealId(_ZERO_ID),
    index=0,
    category_time=0,
    contribution_deadline=0,
    reveal_deadline=0,
    final_deadline=0,
    consensus_value=_ZERO,
    reveal_counter=0,
    winner_counter=0,
    contributors=(),
    result_digest=_ZERO,
    results=b"",
    results_timestamp=0,
    results_callback=b"",
)
NO_DEAL = Deal(
    deal_id=DealId(_ZERO_ID),
    app=_NOTHING,
    dataset=_NOTHING,
    workerpool=_NOTHING,
    trust=0,
    category=0,
    tag=_ZERO,
    requester=ZERO_ADDRESS,
    beneficiary=ZERO_ADDRESS,
    callback=ZERO_ADDRESS,
    params="",
    start_time=0,
    bot_first=0,
    bot_size=0,
    worker_stake=0,
    scheduler_reward_ratio=0,
    sponsor=ZERO_ADDRESS,
)
