"""A core process on a real chain and database, and the pool that it serves."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import http_calls
from patience import PATIENCE_S
from workerpool_devnet.market.trading import Deal, Purchase
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_kit.grpc.client import open_channel
from workerpool_poco.chain.wallet import Wallet
from workerpool_protocol.core.v1 import task_service_pb2 as pb
from workerpool_protocol.core.v1.task_service_pb2_grpc import TaskServiceStub

PASSWORD = "key store password"


@dataclass
class CoreProcess:
    """One core process with its log."""

    process: asyncio.subprocess.Process
    http: str
    grpc_port: int
    log: Path
    channel: grpc.aio.Channel = field(init=False)

    def __post_init__(self) -> None:
        self.channel = open_channel(f"127.0.0.1:{self.grpc_port}", own_subchannel=True)
        self.tasks: Any = TaskServiceStub(self.channel)

    async def health(self) -> tuple[int, dict[str, Any]]:
        """Return status and body of its health, once it listens."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with contextlib.suppress(aiohttp.ClientConnectionError):
                    answer = await http_calls.get(f"{self.http}/actuator/health")
                    return answer.status, answer.json()
                assert self.process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.05)

    async def up(self) -> None:
        """Wait until it has started. It has neither a chain adapter nor a result proxy, and its health says so."""
        async with asyncio.timeout(PATIENCE_S):
            while (await self.health())[1]["components"]["scheduler"]["status"] != "UP":
                await asyncio.sleep(0.05)

    async def task(self, task_id: str) -> Any:
        """Wait until a task is known and return it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    return (
                        await self.tasks.GetTask(pb.GetTaskRequest(task_id=task_id), timeout=PATIENCE_S)
                    ).task
                except grpc.aio.AioRpcError as error:
                    if error.code() not in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE):
                        raise
                    await asyncio.sleep(0.05)

    async def exit(self) -> tuple[int, str]:
        """Wait for its end; return its exit code and its log."""
        code = await asyncio.wait_for(self.process.wait(), PATIENCE_S)
        return code, self.log.read_text()


Start = Callable[..., Awaitable[CoreProcess]]


@dataclass
class Pool:
    """A workerpool on the chain and its owner."""

    chain: PocoChain
    owner: Wallet
    address: str
    hub: str

    def buy(self, volume: int = 1) -> Deal:
        requester = self.chain.account("requester")
        app = self.chain.market.create_app(requester, f"app of {self.address} for {volume}", "image:1")
        (deal,) = self.chain.market.buy(
            Purchase(
                requester=requester,
                app=app,
                app_owner=requester,
                workerpool=self.address,
                pool_owner=self.owner,
                volume=volume,
            )
        )
        return deal


async def stopped(core: CoreProcess) -> str:
    """Stop a core and return its log."""
    core.process.send_signal(signal.SIGTERM)
    code, log = await core.exit()
    assert code == 0
    return log
