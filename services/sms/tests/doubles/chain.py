"""The hub contract's state in memory, and builders of its values."""

from dataclasses import replace
from typing import Any

from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, DealId, TaskId, address, task_id_of
from workerpool_poco.protocol.model import App, ChainTask, Dataset, Deal, Resource
from workerpool_poco.protocol.orders import DatasetOrder
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_poco.protocol.tags import TeeFramework, make_tag
from workerpool_sms.errors import ChainUnreachable

NOW = 1_700_000_000
"""The time of the tests' clock, in Unix seconds."""
DEAL_ID = DealId("0x" + "aa" * 32)
TASK_ID = task_id_of(DEAL_ID, 3)
APP, DATASET, POOL = (address(bytes([number]) * 20) for number in (0xA1, 0xD1, 0xB1))
OWNER, WORKER, REQUESTER, DEVELOPER = (Wallet.from_key(bytes([n]) * 32) for n in (1, 2, 3, 4))
"""The wallets of pool, worker, requester, and of app and dataset."""

NO_TASK = ChainTask(
    task_id=TaskId("0x" + "00" * 32),
    status=ChainTaskStatus.UNSET,
    deal_id=DealId("0x" + "00" * 32),
    index=0,
    category_time=0,
    contribution_deadline=0,
    reveal_deadline=0,
    final_deadline=0,
    consensus_value=bytes(32),
    reveal_counter=0,
    winner_counter=0,
    contributors=(),
    result_digest=bytes(32),
    results=b"",
    results_timestamp=0,
    results_callback=b"",
)
_NOTHING = Resource(ZERO_ADDRESS, ZERO_ADDRESS, 0)
NO_DEAL = Deal(
    deal_id=DealId("0x" + "00" * 32),
    app=_NOTHING,
    dataset=_NOTHING,
    workerpool=_NOTHING,
    trust=0,
    category=0,
    tag=bytes(32),
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


def task(**changes: Any) -> ChainTask:
    """Return an active task of the deal, at index 3."""
    active = replace(
        NO_TASK,
        task_id=TASK_ID,
        status=ChainTaskStatus.ACTIVE,
        deal_id=DEAL_ID,
        index=3,
        final_deadline=NOW + 3_000,
    )
    return replace(active, **changes)


def deal(params: DealParams | None = None, **changes: Any) -> Deal:
    """Return a TDX deal of five tasks, the first of index 2."""
    usual = replace(
        NO_DEAL,
        deal_id=DEAL_ID,
        app=Resource(APP, DEVELOPER.address, 0),
        workerpool=Resource(POOL, OWNER.address, 0),
        tag=make_tag(framework=TeeFramework.TDX),
        requester=REQUESTER.address,
        beneficiary=REQUESTER.address,
        params=(params or DealParams()).encode(),
        start_time=NOW - 10,
        bot_first=2,
        bot_size=5,
    )
    return replace(usual, **changes)


class MemoryChain:
    """The `ChainView` port over dictionaries that a test fills."""

    def __init__(self) -> None:
        self.owners: dict[Address, Address] = {APP: DEVELOPER.address, DATASET: DEVELOPER.address}
        self.tasks: dict[TaskId, ChainTask] = {TASK_ID: task()}
        self.deals: dict[DealId, Deal] = {DEAL_ID: deal()}
        self.mrenclave = b""
        self.deposits: dict[Address, int] = {}
        """What wallets have in the hub, in nRLC."""
        self.unfit: set[Address] = set()
        """Datasets whose orders the contract refuses."""
        self.reachable = True

    async def owner(self, contract: Address) -> Address | None:
        """Return the owner of a contract; see `ChainView`."""
        self._check()
        return {key.lower(): value for key, value in self.owners.items()}.get(contract.lower())

    async def deposit(self, wallet: Address) -> int:
        """Return what a wallet has in the hub; see `ChainView`."""
        self._check()
        return self.deposits.get(wallet, 0)

    async def task(self, task_id: TaskId) -> ChainTask:
        """Return `viewTask`; see `ChainView`."""
        self._check()
        return self.tasks.get(task_id, NO_TASK)

    async def deal(self, deal_id: DealId) -> Deal:
        """Return `viewDeal`; see `ChainView`."""
        self._check()
        return self.deals.get(deal_id, NO_DEAL)

    async def app(self, app: Address) -> App:
        """Return `viewApp`; see `ChainView`."""
        self._check()
        return App(app, DEVELOPER.address, "app", "DOCKER", "image:1", bytes(32), self.mrenclave)

    async def dataset(self, dataset: Address) -> Dataset:
        """Return `viewDataset`; see `ChainView`."""
        self._check()
        return Dataset(dataset, DEVELOPER.address, "data", f"https://data/{dataset}", bytes([7] * 32))

    async def fits_deal(self, order: DatasetOrder, deal_id: DealId) -> bool:
        """Return whether an order is valid; see `ChainView`."""
        self._check()
        return order.dataset not in self.unfit

    def _check(self) -> None:
        if not self.reachable:
            raise ChainUnreachable("the blockchain node does not answer; try again later")
