"""A requester: buys tasks, follows them, reads their state on chain."""

from collections.abc import Callable
from dataclasses import dataclass

from workerpool_devnet.demo.follow import ChainRecord, Progress, follow, read_chain
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.market.deployment import CATEGORIES
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import TaskId

TIMEOUT_SECONDS = 120.0
PRICE = 10**9
"""Price of the pool for each task, in nRLC."""


@dataclass
class Requester:
    """Buys tasks on a pool and follows them."""

    net: Devnet
    app: str
    documents: tuple[str, ...]

    async def buy(
        self, arguments: str = "all", *, volume: int = 1, trust: int = 1, category: str = "XS"
    ) -> list[TaskId]:
        """Buy `volume` tasks of the app of the demo; return the task ids."""
        deal = await self.net.buy(
            self.app,
            params=DealParams(args=arguments, input_files=self.documents),
            volume=volume,
            trust=trust,
            category=list(CATEGORIES).index(category),
            workerpool_price=PRICE,
        )
        return list(deal.task_ids)

    async def follow(
        self, tasks: list[TaskId], on_change: Callable[[Progress], None] = lambda _: None
    ) -> Progress:
        """Follow tasks until the scheduler reports the end of each; call `on_change` for every change."""
        progress = Progress()
        progress.on_change = lambda: on_change(progress)
        await follow(self.net.services["core"].grpc, tasks, progress, timeout=TIMEOUT_SECONDS)
        return progress

    async def on_chain(self, task: TaskId) -> ChainRecord:
        """Read the state of a task on chain."""
        async with HubClient(self.net.chain.url, self.net.contracts.hub) as hub:
            return await read_chain(hub, task, 0)
