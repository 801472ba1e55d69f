"""The real processes of a bench: chain, database, registry and scheduler."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import grpc
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_protocol.core.v1 import pool_service_pb2, pool_service_pb2_grpc

from bench.bags import BAG_SIZE, buy_ready_tasks, give_gas
from bench.report import say
from bench.worker import PoolAddress

_START_S = 60.0


@dataclass(frozen=True)
class BenchPool:
    """A running scheduler with ready tasks."""

    net: Devnet
    task_ids: list[str]

    @property
    def address(self) -> PoolAddress:
        """The address of the scheduler for workers."""
        return PoolAddress(self.net.services["core"].grpc, self.net.chain.chain_id, self.net.workerpool)

    @property
    def core_pid(self) -> int:
        """Current process id of the scheduler."""
        return self.net.services["core"].pid

    @property
    def database_pid(self) -> int:
        """Process id of the database, or of this process with an external database (MONGO_URI)."""
        process = self.net.database.process
        return process.pid if process is not None else os.getpid()


@contextlib.asynccontextmanager
async def bench_pool(tasks: int, workers: int) -> AsyncIterator[BenchPool]:
    """Run a pool without workers whose scheduler has read `tasks` INITIALIZED tasks.

    The first `workers` wallets of simulated workers have gas, which the scheduler requires. Adapter and result proxy do
    not run: every task is initialised already, and they would take processor time from what is measured.
    """
    environment = {
        # The bench measures the dispatch of tasks that are ready, so whole bags are ready.
        "core": {"WORKERPOOL_CORE_TASKS_AHEAD": str(BAG_SIZE)},
        # The simulated workers never contribute. The scheduler replaces such a worker after some blocks, so that a
        # short block time would have it dispatch the tasks of earlier rounds again.
        "registry": {"IEXEC_BLOCK_TIME": "PT20S"},
    }
    options = DevnetOptions(workers=0, services=("registry",), progress=say, environment=environment)
    async with Devnet(options) as net:
        ids = await asyncio.to_thread(buy_ready_tasks, net, tasks)
        await asyncio.to_thread(give_gas, net, workers)
        say(f"{len(ids)} tasks matched and initialised on chain")
        # Its health is not waited for, which names the adapter and the proxy as missing.
        net.services["core"].start()
        await _taken_in(net.services["core"].grpc, len(ids))
        say(f"core is up (process {net.services['core'].pid}) and has read all of them from the chain")
        yield BenchPool(net, ids)


async def _taken_in(target: str, tasks: int) -> None:
    async with grpc.aio.insecure_channel(target) as channel, asyncio.timeout(_START_S):
        stub = pool_service_pb2_grpc.PoolServiceStub(channel)
        while True:
            try:
                status = await stub.GetPoolStatus(pool_service_pb2.GetPoolStatusRequest(), timeout=10)
            except grpc.aio.AioRpcError as error:
                # Until its start is complete, the scheduler does not listen, or answers so.
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            else:
                if status.tasks_by_status.get("INITIALIZED", 0) >= tasks:
                    return
            await asyncio.sleep(0.1)
