"""Fixtures of the contract tests: a pool of real processes without workers, and clients of its contracts.

A module may define `core_environment(net)` or `sms_environment(net)` to set variables of that service.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import aiohttp
import http_calls
import pytest
import pytest_asyncio
from contract.access_table import OPERATOR, OPERATOR_PASSWORD
from contract.assigned_tasks import AssignedTasks
from contract.pool import Pool
from contract.worker_stream import WorkerStream
from patience import PATIENCE_S
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.ports import free_service_ports

SERVICES = ("registry", "chain_adapter", "result_proxy", "core", "market", "order_publisher", "sms")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(request: pytest.FixtureRequest) -> AsyncIterator[Pool]:
    """Run every service but the workers on an instantly mining chain, with three worker wallets."""
    # A worker process must not take the tasks that are meant for the worker of the test.
    nowhere = f"http://127.0.0.1:{free_service_ports().http}"
    operator = {
        "ORDER_PUBLISHER_OPERATOR_USERNAME": OPERATOR,
        "ORDER_PUBLISHER_OPERATOR_PASSWORD": OPERATOR_PASSWORD,
    }
    environment = {"worker": {"IEXEC_CORE_URL": nowhere}, "order_publisher": operator}
    net = Devnet(DevnetOptions(workers=3, services=SERVICES, environment=environment))
    # Some settings name wallets, which exist only now.
    for service in ("core", "sms"):
        settings: Callable[[Devnet], dict[str, str]] = getattr(
            request.module, f"{service}_environment", lambda _: {}
        )
        environment[service] = settings(net)
    async with net, AsyncExitStack() as stack:
        yield Pool(net, stack)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def assigned(pool: Pool) -> AssignedTasks:
    """Assign tasks to one worker and leave them CREATED."""
    first = await pool.connect(pool.net.worker_wallets[0])
    tasks = await pool.buy(volume=24)
    await first.until(lambda: len(first.assignments()) == len(tasks))
    await first.close()
    return AssignedTasks(pool, tasks)


@pytest_asyncio.fixture(loop_scope="module")
async def ours(assigned: AssignedTasks) -> AsyncIterator[WorkerStream]:
    """Open a stream of the worker that holds the tasks."""
    stream = await assigned.pool.connect(assigned.ours)
    yield stream
    await stream.close()


@pytest_asyncio.fixture(loop_scope="module")
async def others(assigned: AssignedTasks) -> AsyncIterator[WorkerStream]:
    """Open a stream of the worker that holds no task."""
    stream = await assigned.pool.connect(assigned.other)
    yield stream
    await stream.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lone_worker(pool: Pool) -> None:
    """Start a worker process that cannot reach its scheduler; its side ports are open."""
    service = pool.net.services["worker-1"]
    service.start()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await http_calls.get(f"{service.http}/version")
                break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
    async with asyncio.timeout(PATIENCE_S):
        await pool.channel("worker-1").channel_ready()
