"""A worker that all tests of a module share: its start costs seconds."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from workerpool_devnet.pytest_plugin import PocoChain

from services.worker.tests.harness.pool import Pool, running_pool
from services.worker.tests.harness.waiting import wait_until
from services.worker.tests.harness.worker_process import WorkerProcess, worker_of


@dataclass(frozen=True)
class SharedWorker:
    """A connected worker with two slots, and its pool."""

    pool: Pool
    worker: WorkerProcess


@contextlib.asynccontextmanager
async def shared_worker(
    chain: PocoChain, image: str, folder: Path, **settings: str
) -> AsyncIterator[SharedWorker]:
    """Run a worker of a new pool until the block ends. The chain is then as it was before."""
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(chain.revert, chain.snapshot())
        pool = await stack.enter_async_context(running_pool(chain, image))
        worker = stack.enter_context(worker_of(pool, folder))
        worker.start(**settings)
        await wait_until(lambda: pool.core.connected)
        yield SharedWorker(pool, worker)
