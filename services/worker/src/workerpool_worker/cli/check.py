"""`poolworker check`: every check of host and pool, concurrently where possible."""

import asyncio
from contextlib import AsyncExitStack

from workerpool_worker.adapters.files.worker_lock import holder_of
from workerpool_worker.cli.local_checks import (
    engine_findings,
    folder_findings,
    host_memory_finding,
    reach_finding,
    settings_findings,
    wallet_finding,
)
from workerpool_worker.cli.pool_checks import PoolChecks
from workerpool_worker.domain.diagnosis.findings import Finding, ok, skipped
from workerpool_worker.settings import WorkerSettings


async def examine(settings: WorkerSettings, version: str) -> list[Finding]:
    """Return the findings, those of the host first. Nothing is changed on the host, in the pool or on chain."""
    async with AsyncExitStack() as stack:
        checks = PoolChecks(settings, stack)
        (wallet, address), engine, internet, scheduler = await asyncio.gather(
            wallet_finding(settings),
            engine_findings(settings),
            reach_finding(settings),
            checks.scheduler(version),
        )
        node, admission, proxy = await asyncio.gather(
            checks.node(), checks.admission(address), checks.proxy()
        )
        funds = await checks.funds(address)
        return [
            *settings_findings(settings),
            wallet,
            *folder_findings(settings),
            host_memory_finding(settings),
            *engine,
            internet,
            checks.clock(),
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
