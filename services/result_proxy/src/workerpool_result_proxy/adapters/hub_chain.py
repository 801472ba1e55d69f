"""The `ChainView` port over the hub client, and a periodic check of its node."""

from workerpool_kit.chain.verified_node import NodeErrors, VerifiedNode
from workerpool_kit.dependencies.report import DependencyReport
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import HubNotFound, PocoError, WrongChain
from workerpool_poco.protocol.ids import Address, DealId, TaskId
from workerpool_poco.protocol.model import ChainTask, Contribution, Deal

from workerpool_result_proxy.errors import ChainUnreachable


class HubView:
    """Reads of the hub, possible once `watch` has verified that the node serves the configured chain and hub."""

    def __init__(self, hub: HubClient, report: DependencyReport) -> None:
        self._hub = hub
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
        """Return `viewDeal`; see `ChainView`."""
        return await self._node.read(self._hub.view_deal(deal_id), ChainUnreachable)

    async def contribution(self, task_id: TaskId, worker: Address) -> Contribution:
        """Return `viewContribution`; see `ChainView`."""
        return await self._node.read(self._hub.view_contribution(task_id, worker), ChainUnreachable)
