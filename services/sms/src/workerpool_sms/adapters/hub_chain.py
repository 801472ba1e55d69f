"""The `ChainView` port over the hub client."""

import asyncio

from workerpool_kit.chain.verified_node import VerifiedNode
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import CallReverted, MalformedAnswer
from workerpool_poco.protocol.ids import Address, DealId, TaskId
from workerpool_poco.protocol.model import App, ChainTask, Dataset, Deal
from workerpool_poco.protocol.orders import DatasetOrder

from workerpool_sms.errors import ChainUnreachable

_STRANGERS_READS = 8
"""Reads at once that any caller can cause. Those of sessions and challenges never wait behind more."""


class HubView:
    """Reads of the hub, possible once the node has proven to serve the configured chain and hub."""

    def __init__(self, hub: HubClient, node: VerifiedNode) -> None:
        self._hub = hub
        self._node = node
        self._strangers = asyncio.Semaphore(_STRANGERS_READS)

    async def owner(self, contract: Address) -> Address | None:
        """Return the owner of a contract; see `ChainView`."""
        async with self._strangers:
            return await self._node.read(self._owner_or_none(contract), ChainUnreachable)

    async def deposit(self, wallet: Address) -> int:
        """Return what a wallet has in the hub; see `ChainView`."""
        async with self._strangers:
            account = await self._node.read(self._hub.view_account(wallet), ChainUnreachable)
        return account.stake + account.locked

    async def task(self, task_id: TaskId) -> ChainTask:
        """Return `viewTask`; see `ChainView`."""
        return await self._node.read(self._hub.view_task(task_id), ChainUnreachable)

    async def deal(self, deal_id: DealId) -> Deal:
        """Return `viewDeal`; see `ChainView`."""
        return await self._node.read(self._hub.view_deal(deal_id), ChainUnreachable)

    async def app(self, app: Address) -> App:
        """Return `viewApp`; see `ChainView`."""
        return await self._node.read(self._hub.view_app(app), ChainUnreachable)

    async def dataset(self, dataset: Address) -> Dataset:
        """Return `viewDataset`; see `ChainView`."""
        return await self._node.read(self._hub.view_dataset(dataset), ChainUnreachable)

    async def fits_deal(self, order: DatasetOrder, deal_id: DealId) -> bool:
        """Return whether a dataset order is valid for a deal; see `ChainView`."""
        return await self._node.read(self._hub.dataset_fits_deal(order, deal_id), ChainUnreachable)

    async def _owner_or_none(self, contract: Address) -> Address | None:
        try:
            return await self._hub.contract_owner(contract)
        except (CallReverted, MalformedAnswer):
            return None
