"""Waiting until the services are up and the workers have joined the pool."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import grpc
import httpx
from workerpool_protocol.core.v1 import pool_service_pb2, pool_service_pb2_grpc

from workerpool_devnet.errors import ProcessError
from workerpool_devnet.processes.process import ManagedProcess
from workerpool_devnet.services.plan import ServiceSpec

_PERIOD_SECONDS = 0.05


class Service:
    """One running service: its process and where it listens."""

    def __init__(self, spec: ServiceSpec, process: ManagedProcess) -> None:
        self.spec = spec
        self.process = process
        self.name = spec.name
        self.http = spec.http
        self.grpc = spec.grpc
        self.wanted = False
        """Whether it is meant to run; false after `kill` until `restart`."""

    @property
    def pid(self) -> int:
        """Process id of the present life."""
        return self.process.pid

    def start(self) -> None:
        """Start the process; does not wait for it."""
        self.wanted = True
        self.process.start()

    def kill(self) -> None:
        """End the process at once (SIGKILL), as a crash would; a devnet with `restart` starts it again."""
        self.process.kill()

    def stop_for_good(self) -> None:
        """End the process at once; it stays down until `restart`, whatever the devnet's options say."""
        self.wanted = False
        self.process.kill()

    async def restart(self, *, timeout: float = 30.0) -> None:
        """Start the process again when it is down, and wait until it is healthy."""
        if not self.process.running:
            self.start()
        await self.wait_healthy(timeout=timeout)

    async def wait_healthy(self, *, timeout: float) -> None:
        """Wait until `/actuator/health` says UP.

        Raises `ProcessError` with the end of the log when the process ends or time is over.
        """
        deadline = time.monotonic() + timeout
        answer = "no answer"
        async with httpx.AsyncClient(trust_env=False, timeout=2) as http:
            while True:
                self.process.check()
                try:
                    response = await http.get(f"{self.http}/actuator/health")
                    answer = response.text[:300]
                    if response.status_code == httpx.codes.OK and response.json().get("status") == "UP":
                        return
                except (httpx.TransportError, ValueError):
                    pass  # it does not listen yet
                if time.monotonic() > deadline:
                    raise ProcessError(
                        f"{self.name} was not healthy within {timeout:g} s; its last answer: {answer}."
                        + self.process.log_end()
                    )
                await asyncio.sleep(_PERIOD_SECONDS)


async def wait_registered(
    core: Service, workers: Sequence[Service], wallets: set[str], *, timeout: float
) -> None:
    """Wait until the scheduler has an open stream of every worker wallet.

    Raises `ProcessError` naming a worker that ended, or those that are missing when time is over.
    """
    deadline = time.monotonic() + timeout
    async with grpc.aio.insecure_channel(core.grpc) as channel:
        stub = pool_service_pb2_grpc.PoolServiceStub(channel)
        while missing := wallets - await _connected(stub):
            for process in (core.process, *(worker.process for worker in workers)):
                process.check()
            if time.monotonic() > deadline:
                names = ", ".join(sorted(missing))
                raise ProcessError(
                    f"workers that did not register with core within {timeout:g} s: {names}."
                    + core.process.log_end()
                )
            await asyncio.sleep(_PERIOD_SECONDS)


async def _connected(stub: pool_service_pb2_grpc.PoolServiceStub) -> set[str]:
    request = pool_service_pb2.ListWorkersRequest(page_size=1000, alive_only=True)
    try:
        answer = await stub.ListWorkers(request, timeout=5)  # type: ignore[misc]
    except grpc.aio.AioRpcError:
        return set()
    return {worker.wallet_address for worker in answer.workers if worker.connected}
