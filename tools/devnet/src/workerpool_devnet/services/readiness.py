"""Wait until services report health and workers are connected.

The clients are imported on first use: while the launcher imports them, the services already start.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from workerpool_devnet.errors import ProcessError
from workerpool_devnet.processes.process import ManagedProcess

if TYPE_CHECKING:
    import aiohttp
    from workerpool_protocol.core.v1 import pool_service_pb2_grpc

_PERIOD_SECONDS = 0.05


async def wait_healthy(processes: Mapping[str, ManagedProcess], *, timeout: float) -> None:
    """Wait until `/actuator/health` of every HTTP address reports UP.

    Raises `ProcessError` with the end of the log when a process ends or after `timeout` seconds.
    """
    import aiohttp

    limits = aiohttp.ClientTimeout(total=2)
    async with aiohttp.ClientSession(timeout=limits) as http:
        waiting = [
            asyncio.create_task(_wait_healthy(http, url, process, timeout))
            for url, process in processes.items()
        ]
        try:
            await asyncio.gather(*waiting)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)


async def _wait_healthy(
    http: aiohttp.ClientSession, url: str, process: ManagedProcess, timeout: float
) -> None:
    deadline = time.monotonic() + timeout
    answer = "no answer"
    while True:
        process.check()
        # A connection attempt costs a fiftieth of a request, and services spend most of the wait importing.
        if _listens(url):
            healthy, answer = await _health(http, url)
            if healthy:
                return
        if time.monotonic() > deadline:
            raise ProcessError(
                f"{process.name} was not healthy within {timeout:g} s; its last answer: {answer}."
                + process.log_end()
            )
        await asyncio.sleep(_PERIOD_SECONDS)


async def _health(http: aiohttp.ClientSession, url: str) -> tuple[bool, str]:
    import aiohttp

    try:
        async with http.get(f"{url}/actuator/health") as response:
            text = await response.text()
            with contextlib.suppress(ValueError, AttributeError):
                return response.ok and (await response.json()).get("status") == "UP", text[:300]
            return False, text[:300]
    except (aiohttp.ClientError, TimeoutError) as error:
        return False, str(error)


def _listens(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as attempt:
        return attempt.connect_ex((parts.hostname, parts.port)) == 0


async def wait_offered(query: str, processes: Sequence[ManagedProcess], *, timeout: float) -> None:
    """Wait until the market answers at least one order to a query, given as a URL.

    Raises `ProcessError` naming one of `processes` that ended, or the last answer after `timeout` seconds.
    """
    import aiohttp

    deadline = time.monotonic() + timeout
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
        while True:
            answer = await _text(http, query)
            with contextlib.suppress(ValueError, AttributeError):
                if json.loads(answer).get("count"):
                    return
            for process in processes:
                process.check()
            if time.monotonic() > deadline:
                raise ProcessError(
                    f"the workerpool had no order on the market within {timeout:g} s; its last answer: "
                    f"{answer[:300]}; read the logs of market and order_publisher"
                )
            await asyncio.sleep(_PERIOD_SECONDS)


async def _text(http: aiohttp.ClientSession, url: str) -> str:
    import aiohttp

    try:
        async with http.get(url) as response:
            return await response.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        return str(error)


async def wait_registered(
    core_target: str, processes: Sequence[ManagedProcess], wallets: set[str], *, timeout: float
) -> None:
    """Wait until the scheduler at the gRPC target `core_target` has an open stream of every worker wallet.

    Raises `ProcessError` naming one of `processes` that ended, or the missing wallets after `timeout` seconds.
    """
    import grpc
    from workerpool_protocol.core.v1 import pool_service_pb2_grpc

    deadline = time.monotonic() + timeout
    async with grpc.aio.insecure_channel(core_target) as channel:
        stub = pool_service_pb2_grpc.PoolServiceStub(channel)
        while missing := wallets - await _connected(stub):
            for process in processes:
                process.check()
            if time.monotonic() > deadline:
                names = ", ".join(sorted(missing))
                raise ProcessError(
                    f"these worker wallets did not connect to core within {timeout:g} s: {names}; "
                    "read the logs of core and the workers"
                )
            await asyncio.sleep(_PERIOD_SECONDS)


async def _connected(stub: pool_service_pb2_grpc.PoolServiceStub) -> set[str]:
    import grpc
    from workerpool_protocol.core.v1 import pool_service_pb2

    request = pool_service_pb2.ListWorkersRequest(page_size=1000, alive_only=True)
    try:
        answer = await stub.ListWorkers(request, timeout=5)  # type: ignore[misc]
    except grpc.aio.AioRpcError:
        return set()
    return {worker.wallet_address for worker in answer.workers if worker.connected}
