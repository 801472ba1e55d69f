"""A big bag of one requester beside single tasks of another one."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass, field, replace

import grpc
from workerpool_protocol.core.v1 import pool_service_pb2
from workerpool_protocol.core.v1.pool_service_pb2_grpc import PoolServiceStub

from hostile.catalogue.demands import BAG_TASK
from hostile.catalogue.honest import PLAIN
from hostile.deals import BoughtDeal, follow
from hostile.judging.limits import HONEST_FACTOR
from hostile.pool import HostilePool, Say, hostile_pool

_QUIET_TASKS = 4
_SECONDS_PER_TASK = 4.0
"""Generous time for one task of the bag, to bound the whole measurement."""
_SINGLE_LIMIT_S = 600.0
_LOOK_S = 1.0


@dataclass
class Fairness:
    """Seconds from the match to the end of each single task."""

    tasks: int
    """Tasks of the bag."""
    quiet: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    bag_s: float = 0.0

    @property
    def limit_s(self) -> float:
        """Seconds that a single task may take beside the bag."""
        return HONEST_FACTOR * statistics.median(self.quiet)

    @property
    def late(self) -> list[float]:
        """Seconds of the single tasks that took longer than the limit."""
        return [seconds for seconds in self.beside if seconds > self.limit_s]

    @property
    def typical_s(self) -> float:
        """Median of the single tasks' seconds beside the bag."""
        return statistics.median(self.beside)

    def line(self) -> str:
        """Return the measurement in one line."""
        return (
            f"bag of {self.tasks} in {self.bag_s:.0f} s; single tasks {statistics.median(self.quiet):.1f} s quiet, "
            f"beside the bag {self.typical_s:.1f} s median and {max(self.beside):.1f} s at most "
            f"of {len(self.beside)} (limit {self.limit_s:.1f} s)"
        )


async def measure(tasks: int, say: Say) -> Fairness:
    """Measure single tasks alone, then beside a bag of `tasks`; the bag completes as well."""
    found = Fairness(tasks)
    async with asyncio.timeout(_SINGLE_LIMIT_S + _SECONDS_PER_TASK * tasks), hostile_pool(say) as pool:
        for _ in range(_QUIET_TASKS):
            found.quiet.append(await _single(pool))
        say(f"quiet: {', '.join(f'{seconds:.1f}' for seconds in found.quiet)} s")
        completed = await _completed(pool)
        await pool.buyers.buy(replace(BAG_TASK, volume=tasks), "mallory")
        started = time.monotonic()
        while (done := await _completed(pool) - completed - len(found.beside)) < tasks:
            found.beside.append(await _single(pool))
            say(f"{done} of {tasks} done; a single task took {found.beside[-1]:.1f} s")
        found.bag_s = time.monotonic() - started
    return found


async def _single(pool: HostilePool) -> float:
    """Buy a single task, wait for its end, and return the seconds from the match."""
    bought = await pool.buyers.buy(PLAIN, "alice")
    deal = BoughtDeal(0, PLAIN, "alice", bought.task_ids, time.monotonic())
    await follow(pool.net.services["core"].grpc, deal)
    return deal.seconds


async def _completed(pool: HostilePool) -> int:
    """Return the number of completed tasks."""
    while True:
        try:
            async with grpc.aio.insecure_channel(pool.net.services["core"].grpc) as channel:
                request = pool_service_pb2.GetPoolStatusRequest()
                status = await PoolServiceStub(channel).GetPoolStatus(request, timeout=10)
                return int(status.tasks_by_status.get("COMPLETED", 0))
        except grpc.aio.AioRpcError:
            await asyncio.sleep(_LOOK_S)
