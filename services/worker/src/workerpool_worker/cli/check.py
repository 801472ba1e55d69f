"""`poolworker check`: every look at host and pool, as far as possible at the same time."""

import asyncio
from contextlib import AsyncExitStack

from workerpool_worker.adapters.files.worker_lock import holder_of
from workerpool_worker.cli.host_looks import (
    engine_findings,
    folder_findings,
    host_memory_finding,
    reach_finding,
    settings_findings,
    wallet_finding,
)
from workerpool_worker.cli.pool_looks import PoolLooks
from workerpool_worker.domain.diagnosis.findings import Finding, ok, skipped
from workerpool_worker.settings import WorkerSettings


async def examine(settings: WorkerSettings, version: str) -> list[Finding]:
    """Return the findings, those of the host first. Nothing is changed on the host, in the pool or on chain."""
    async with AsyncExitStack() as stack:
        looks = PoolLooks(settings, stack)
        (wallet, address), engine, internet, scheduler = await asyncio.gather(
            wallet_finding(settings),
            engine_findings(settings),
            reach_finding(settings),
            looks.scheduler(version),
        )
        node, admission, proxy = await asyncio.gather(looks.node(), looks.admission(address), looks.proxy())
        funds = await looks.funds(address)
        return [
            *settings_findings(settings),
            wallet,
            *folder_findings(settings),
            host_memory_finding(settings),
            *engine,
            internet,
            looks.clock(),
            *scheduler,
            *admission,
            *node,
            *funds,
            *proxy,
            _process(settings),
        ]


def _process(settings: WorkerSettings) -> Finding:
    try:
        holder = holder_of(settings.folder)
    except OSError as refusal:
        return skipped("worker", f"a lock in {settings.folder} that can be read ({refusal.strerror})")
    if holder is None:
        return ok("worker", "it does not run")
    if not holder.pid:
        return ok("worker", "it starts just now, or runs in an older version")
    return ok("worker", f"it runs as process {holder.pid}" if holder.is_here else "it runs in a container")
