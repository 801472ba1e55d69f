"""The mix: honest and hostile deals bought and followed at the same time, for some time."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from workerpool_devnet.errors import DevnetError
from workerpool_kit.runtime.tasks import end_tasks

from hostile.catalogue.demands import DRY_BAG
from hostile.catalogue.entry import Entry
from hostile.catalogue.honest import ENTRIES as HONEST
from hostile.deals import BoughtDeal, follow
from hostile.generator import Generator
from hostile.judging.limits import QuietTimes
from hostile.pool import HostilePool, Say

HONEST_AT_ONCE = 2
HOSTILE_AT_ONCE = 4
_QUIET_ROUNDS = 2
_QUIET_LIMIT_S = 180.0
_GRACE_S = 60.0
"""Time beyond its limit for which a late deal is still followed, so that its timeline shows how it ended."""
_RETRY_S = 2.0
_DRY_BAGS = 2
_DRY_BAG_S = 90.0
"""Seconds before the end of the mix after which no bag is bought that is not followed."""


@dataclass
class Mix:
    """Buys and follows deals."""

    pool: HostilePool
    generator: Generator
    quiet: QuietTimes
    say: Say
    allowance: Callable[[BoughtDeal], float]
    """Returns the seconds that faults and bad workers may add to a deal."""
    deals: list[BoughtDeal] = field(default_factory=list)
    dry_bags: int = 0
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def measure_quiet_times(self) -> None:
        """Run each honest entry twice, two deals at a time."""
        waiting = [entry for _ in range(_QUIET_ROUNDS) for entry in HONEST]

        async def buyer(requester: str) -> None:
            while waiting:
                deal = await self._buy(waiting.pop(0), requester, _QUIET_LIMIT_S)
                await follow(self._core, deal)
                self.quiet.add(deal.entry, deal.seconds)

        async with asyncio.timeout(_QUIET_LIMIT_S), asyncio.TaskGroup() as group:
            for requester in ("alice", "bob"):
                group.create_task(buyer(requester))

    async def run(self, seconds: float) -> None:
        """Keep a number of honest and of hostile deals running for `seconds`, then wait for the last ones."""
        end = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            for _ in range(HONEST_AT_ONCE):
                group.create_task(self._keep(self.generator.honest, end))
            for _ in range(HOSTILE_AT_ONCE):
                group.create_task(self._keep(self.generator.hostile, end))

    def running(self) -> list[BoughtDeal]:
        """Return the deals that are not over."""
        return [deal for deal in self.deals if not deal.over]

    async def _keep(self, draw: Callable[[], tuple[Entry, str]], end: float) -> None:
        unwatched: list[asyncio.Task[None]] = []
        while time.monotonic() < end:
            entry, requester = draw()
            if entry is DRY_BAG:
                if self.dry_bags < _DRY_BAGS and end - time.monotonic() > _DRY_BAG_S:
                    self.dry_bags += 1
                    await self.pool.buyers.buy(entry, requester)
                continue
            try:
                deal = await self._buy(entry, requester, self.quiet.limit(entry))
            except (DevnetError, OSError) as error:
                self.say(f"purchase of {entry.name} failed ({error}); trying the next one")
                await asyncio.sleep(_RETRY_S)
                continue
            self.deals.append(deal)
            watched = asyncio.create_task(self._watched(deal))
            if entry.right.waits:
                unwatched.append(watched)  # it only waits, and uses no slot
            else:
                await watched
        await asyncio.gather(*unwatched)

    async def _watched(self, deal: BoughtDeal) -> None:
        """Follow a deal to its end, or until it is far too late."""
        following = asyncio.create_task(follow(self._core, deal))
        try:
            while not following.done():
                limit_s = deal.limit_s + self.allowance(deal) + _GRACE_S
                if deal.seconds > limit_s:
                    self.say(f"late: deal {deal.number} {deal.entry.name}; it is not followed any more")
                    return
                await asyncio.wait([following], timeout=1)
            following.result()
        finally:
            await end_tasks(following)

    async def _buy(self, entry: Entry, requester: str, limit_s: float) -> BoughtDeal:
        bought = await self.pool.buyers.buy(entry, requester)
        return BoughtDeal(
            number=next(self._numbers),
            entry=entry,
            requester=requester,
            task_ids=bought.task_ids,
            bought_at=time.monotonic(),
            limit_s=limit_s,
        )

    @property
    def _core(self) -> str:
        return self.pool.net.services["core"].grpc


async def every(seconds: float, do: Callable[[], Coroutine[object, object, None]]) -> None:
    """Call `do` every `seconds` until cancelled."""
    while True:
        await do()
        await asyncio.sleep(seconds)
