"""The `ChainView` port over the hub client, and a periodic check of its node."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger
from workerpool_kit.process import StartupError
from workerpool_kit.retry import Backoff
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import HubNotFound, PocoError, WrongChain
from workerpool_poco.protocol.ids import Address, DealId, TaskId
from workerpool_poco.protocol.model import ChainTask, Contribution, Deal

from workerpool_result_proxy.errors import ChainUnreachable

T = TypeVar("T")
log = get_logger()

_BACKOFF = Backoff(first_s=0.5, longest_s=10.0)
_CHECK_EVERY_S = 5.0


class HubView:
    """Reads the hub, once `watch` has verified that the node serves the configured chain and hub."""

    def __init__(self, hub: HubClient, health: Health) -> None:
        self._hub = hub
        self._health = health
        self._verified = False
        health.set("chain", False, cause="not connected yet")

    async def watch(self) -> None:
        """Connect, and keep `health` up to date until cancelled.

        An unreachable node is retried with backoff. Raises `StartupError` when the node does not serve the configured
        chain or hub.
        """
        outage = _BACKOFF.steps()
        while True:
            try:
                await self._check()
            except (WrongChain, HubNotFound) as wrong:
                raise StartupError(
                    f"{wrong}: check IEXEC_BLOCKCHAIN_NODE_ADDRESS, IEXEC_CHAIN_ID and IEXEC_HUB_ADDRESS"
                ) from wrong
            except PocoError as error:
                if outage.failures == 0:
                    log.warning("chain.lost", error=str(error))
                self._verified = False
                self._health.set("chain", False, cause="the node does not answer")
                await outage.sleep()
            else:
                if not self._verified:
                    log.info("chain.connected", chain_id=self._hub.chain_id, hub=self._hub.hub_address)
                self._verified = True
                self._health.set("chain", True)
                outage.reset()
                await asyncio.sleep(_CHECK_EVERY_S)

    async def task(self, task_id: TaskId) -> ChainTask:
        """Return `viewTask`; see `ChainView`."""
        return await self._read(self._hub.view_task(task_id))

    async def deal(self, deal_id: DealId) -> Deal:
        """Return `viewDeal`; see `ChainView`."""
        return await self._read(self._hub.view_deal(deal_id))

    async def contribution(self, task_id: TaskId, worker: Address) -> Contribution:
        """Return `viewContribution`; see `ChainView`."""
        return await self._read(self._hub.view_contribution(task_id, worker))

    async def _check(self) -> None:
        if self._verified:
            await self._hub.block_number()
        else:
            await self._hub.connect()

    async def _read(self, reading: Awaitable[T]) -> T:
        # A node that returns after an outage is verified again: another one may have replaced it.
        if not self._verified:
            if asyncio.iscoroutine(reading):
                reading.close()
            raise ChainUnreachable("the blockchain node does not answer yet; try again later")
        try:
            return await reading
        except PocoError as error:
            log.warning("chain.read_failed", error=str(error))
            raise ChainUnreachable("the blockchain node does not answer; try again later") from error
