"""The `ChainView` port over the hub client, and a periodic check of its node."""

from workerpool_kit.chain.verified_node import NodeErrors, VerifiedNode
from workerpool_kit.dependencies.report import DependencyReport
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import HubNotFound, PocoError, WrongChain
from workerpool_poco.protocol.ids import Address, DealId, TaskId
from workerpool_poco.protocol.model import ChainTask, Contribution, Deal

from workerpool_result_proxy.errors import ChainUnreachable

_MAX_CACHED_DEALS = 10_000


class HubView:
    """Reads of the hub, possible once `watch` has verified that the node serves the configured chain and hub."""

    def __init__(self, hub: HubClient, report: DependencyReport) -> None:
        self._hub = hub
        self._deals: dict[DealId, Deal] = {}
        self._node = VerifiedNode(
            report,
            connect=hub.connect,
            probe=hub.block_number,
            errors=NodeErrors(PocoError, WrongChain, HubNotFound),
        )

    async def watch(self) -> None:
        """Connect, and keep the report up to date until cancelled; see `VerifiedNode.watch`."""
        await self._node.watch()

    async def task(self, task_id: TaskId) -> ChainTask:
        """Return `viewTask`; see `ChainView`."""
        return await self._node.read(self._hub.view_task(task_id), ChainUnreachable)

    async def deal(self, deal_id: DealId) -> Deal:
        """Return `viewDeal`, cached because a deal never changes; see `ChainView`."""
        if (known := self._deals.get(deal_id)) is not None:
            return known
        deal = await self._node.read(self._hub.view_deal(deal_id), ChainUnreachable)
        if deal.exists:
            if len(self._deals) >= _MAX_CACHED_DEALS:
                self._deals.clear()
            self._deals[deal_id] = deal
        return deal

    async def contribution(self, task_id: TaskId, worker: Address) -> Contribution:
        """Return `viewContribution`; see `ChainView`."""
        return await self._node.read(self._hub.view_contribution(task_id, worker), ChainUnreachable)
