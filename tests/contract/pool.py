"""A running pool with clients of its services."""

import json
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import grpc
import jwt
import task_logs
from contract.worker_stream import WorkerStream, hello
from patience import PATIENCE_S
from pymongo import MongoClient
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.market.deployment import CATEGORIES
from workerpool_kit.grpc.client import open_channel
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.typed_data import LogChallenge, LoginChallenge, sign_challenge
from workerpool_poco.protocol.ids import Address, to_hex
from workerpool_protocol.core.v1 import pool_service_pb2_grpc, task_pb2, task_service_pb2_grpc
from workerpool_protocol.core.v1 import task_service_pb2 as tasks
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.worker_service_pb2_grpc import WorkerServiceStub


@dataclass
class Pool:
    """A running pool and clients of its services."""

    net: Devnet
    stack: AsyncExitStack
    tokens: dict[Address, str] = field(default_factory=dict)

    def channel(self, service: str = "core") -> grpc.aio.Channel:
        """Open a separate connection; it is closed with the pool."""
        channel = open_channel(self.net.services[service].grpc, own_subchannel=True)
        self.stack.push_async_callback(channel.close, None)
        return channel

    @cached_property
    def workers(self) -> Any:
        """A stub of the worker service."""
        return WorkerServiceStub(self.channel())

    @cached_property
    def tasks(self) -> Any:
        """A stub of the task service."""
        return task_service_pb2_grpc.TaskServiceStub(self.channel())

    @cached_property
    def operators(self) -> Any:
        """A stub of the pool service."""
        return pool_service_pb2_grpc.PoolServiceStub(self.channel())

    def adapter_credentials(self) -> tuple[str, str]:
        """Return the user name and password of the scheduler at the chain adapter."""
        own = self.net.services["core"].spec.environment
        password = Path(own["IEXEC_CORE_CHAIN_ADAPTER_PASSWORD_FILE"]).read_text().strip()
        return own["IEXEC_CORE_CHAIN_ADAPTER_USERNAME"], password

    async def challenge(self, wallet: Wallet) -> LoginChallenge:
        """Request a login challenge."""
        asked = await self.workers.CreateChallenge(
            pb.CreateChallengeRequest(wallet_address=wallet.address), timeout=PATIENCE_S
        )
        data = json.loads(asked.typed_data_json)
        return LoginChallenge(
            data["message"]["wallet"],
            data["message"]["challenge"],
            data["message"]["issuedAt"],
            data["domain"]["chainId"],
            data["domain"]["verifyingContract"],
        )

    async def login(self, wallet: Wallet) -> str:
        """Return the token of a wallet; log in on the first call."""
        if wallet.address not in self.tokens:
            signature = to_hex(sign_challenge(wallet, await self.challenge(wallet)))
            request = pb.LoginRequest(wallet_address=wallet.address, signature=signature)
            answer = await self.workers.Login(request, timeout=PATIENCE_S)
            self.tokens[wallet.address] = answer.token
        return self.tokens[wallet.address]

    def token(
        self, wallet: str, *, key: bytes = b"", roles: tuple[str, ...] = ("worker",), **claims: Any
    ) -> str:
        """Return a forged token, signed with the key of the scheduler unless another key is given."""
        with MongoClient[Any](self.net.database.uri) as mongo:
            stored = mongo[self.net.databases["core"]]["signingKey"].find_one()
        assert stored is not None
        now = int(time.time())
        payload = {
            "iss": "workerpool-core",
            "aud": self.net.workerpool,
            "sub": wallet,
            "roles": list(roles),
            "iat": now,
            "exp": now + 600,
        }
        return jwt.encode(payload | claims, key or stored["secret"], "HS256", headers={"kid": stored["_id"]})

    async def open(self, token: str) -> WorkerStream:
        """Open a stream without sending anything."""
        stub: Any = WorkerServiceStub(self.channel())
        stream = WorkerStream(stub.Connect(metadata=(("authorization", f"Bearer {token}"),)))
        self.stack.push_async_callback(stream.close)
        return stream

    async def connect(self, wallet: Wallet, **changes: Any) -> WorkerStream:
        """Open a stream, send Hello (with `changes`), wait for the Welcome."""
        stream = await self.open(await self.login(wallet))
        await stream.send(hello=hello(**changes))
        await stream.first("welcome")
        return stream

    async def log_challenge(self, wallet: Wallet) -> LogChallenge:
        """Request a log challenge."""
        return await task_logs.log_challenge(self.tasks, wallet)

    async def logs(
        self, task: str, reader: Wallet | None = None, *, worker: str = ""
    ) -> list[task_pb2.ComputeLogs]:
        """Read the logs of a task as the requester, or as another reader."""
        reader = reader or self.net.accounts["requester"]
        return await task_logs.read_logs(self.tasks, task, reader, worker=worker)

    async def task(self, task: str) -> task_pb2.Task:
        """Read one task with its replicates."""
        answer = await self.tasks.GetTask(tasks.GetTaskRequest(task_id=task), timeout=PATIENCE_S)
        found: task_pb2.Task = answer.task
        return found

    async def buy(self, volume: int = 1, category: str = "DEV-60S", **purchase: Any) -> list[str]:
        """Buy tasks of an app that never runs; return their ids."""
        app = await self.app()
        deal = await self.net.buy(app, volume=volume, category=list(CATEGORIES).index(category), **purchase)
        return list(deal.task_ids)

    async def app(self) -> Address:
        """Return the app; create it on the first call."""
        if not hasattr(self, "_app"):
            self._app = await self.net.create_app("contract", "example/never-run:1")
        return self._app
