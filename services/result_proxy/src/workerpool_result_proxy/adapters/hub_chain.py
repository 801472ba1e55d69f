"""The `ChainView` port over the typed hub client, and the watch over the node behind it."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import structlog
from workerpool_kit.health import Health
from workerpool_kit.process import StartupError
from workerpool_poco.chain.hub import HubClient, HubNotFound, WrongChain
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.ids import Address
from workerpool_poco.protocol.model import ChainTask, Contribution, Deal

from workerpool_result_proxy.errors import ChainUnreachable

T = TypeVar("T")
log = structlog.get_logger()

_BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0)
_CHECK_EVERY_S = 5.0


class HubView:
    """Reads the hub, but nothing before `watch` has found the right chain and hub behind the node."""

    def __init__(self, hub: HubClient, health: Health) -> None:
        self._hub = hub
        self._health = health
        self._verified = False
        health.set("chain", False, cause="not connected yet")

    async def watch(self) -> None:
        """Connect, and keep `health` up to date until cancelled.

        An unreachable node is asked again with growing pauses. Raises `StartupError` when what answers is not the
        configured chain or hub.
        """
        failures = 0
        while True:
            try:
                await self._check()
            except (WrongChain, HubNotFound) as wrong:
                raise StartupError(
                    f"{wrong}: check IEXEC_BLOCKCHAIN_NODE_ADDRESS, IEXEC_CHAIN_ID and IEXEC_HUB_ADDRESS"
                ) from wrong
            except PocoError as error:
                if failures == 0:
                    log.warning("chain.unreachable", error=str(error))
                self._verified = False
                self._health.set("chain", False, cause="the node does not answer")
                pause = _BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)]
                failures += 1
            else:
                if not self._verified:
                    log.info("chain.connected", chain_id=self._hub.chain_id, hub=self._hub.hub_address)
                self._verified, failures, pause = True, 0, _CHECK_EVERY_S
                self._health.set("chain", True)
            await asyncio.sleep(pause)

    async def task(self, task_id: bytes) -> ChainTask:
        """Return ``viewTask``; see `ChainView`."""
        return await self._read(self._hub.view_task(task_id))

    async def deal(self, deal_id: bytes) -> Deal:
        """Return ``viewDeal``; see `ChainView`."""
        return await self._read(self._hub.view_deal(deal_id))

    async def contribution(self, task_id: bytes, worker: Address) -> Contribution:
        """Return ``viewContribution``; see `ChainView`."""
        return await self._read(self._hub.view_contribution(task_id, worker))

    async def _check(self) -> None:
        if self._verified:
            await self._hub.block_number()
        else:
            await self._hub.connect()

    async def _read(self, reading: Awaitable[T]) -> T:
        # A node that was lost and came back is asked again: it may have been replaced by one of another chain.
        if not self._verified:
            if asyncio.iscoroutine(reading):
                reading.close()
            raise ChainUnreachable("the blockchain node does not answer yet; try again later")
        try:
            return await reading
        except PocoError as error:
            log.warning("chain.read_failed", error=str(error))
            raise ChainUnreachable("the blockchain node does not answer; try again later") from error
