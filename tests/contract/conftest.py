"""A pool of real processes without workers, and clients that speak its contracts as anybody could.

A module may define ``core_environment(net)`` to set environment variables of its scheduler.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import http_calls
import jwt
import pytest
import pytest_asyncio
import task_logs
from contract.bench import Bench
from pymongo import MongoClient
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.market.deployment import CATEGORIES
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.ports import free_service_ports
from workerpool_kit.grpc.client import error_reason, open_channel
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import Address, to_hex
from workerpool_poco.protocol.typed_data import LogChallenge, LoginChallenge, sign_challenge
from workerpool_protocol.core.v1 import pool_service_pb2_grpc, task_pb2, task_service_pb2_grpc
from workerpool_protocol.core.v1 import task_service_pb2 as tasks
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.worker_service_pb2_grpc import WorkerServiceStub

SERVICES = ("registry", "chain_adapter", "result_proxy", "core")
PATIENCE_S = 30.0
Answer = tuple[grpc.StatusCode, str | None]
"""How a call ended: its status code, and the reason of its ErrorInfo (None when it has none)."""


class WorkerStream:
    """A worker's end of the stream, by hand: what comes down is kept, what goes up is up to the test."""

    def __init__(self, call: Any) -> None:
        self.call = call
        self.received: list[pb.ConnectResponse] = []
        self._news = asyncio.Event()
        self._sequence = 0
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> Answer:
        try:
            while (message := await self.call.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]
                self.received.append(message)
                self._news.set()
        except grpc.aio.AioRpcError as error:
            return error.code(), error_reason(error)
        finally:
            self._news.set()
        return await self.call.code(), None

    async def send(self, **message: Any) -> None:
        """Say one thing."""
        await self.call.write(pb.ConnectRequest(**message))

    async def until(self, found: Callable[[], Any]) -> Any:
        """Wait for what `found` returns to be true, and return it; fails when the stream ends before."""
        async with asyncio.timeout(PATIENCE_S):
            while not (what := found()):
                assert not self._reading.done(), f"the stream ended: {self._reading.result()}"
                self._news.clear()
                await self._news.wait()
        return what

    async def first(self, kind: str) -> Any:
        """Wait for the first message of a kind, such as "welcome"."""
        return await self.until(lambda: next(iter(self.all(kind)), None))

    def all(self, kind: str) -> list[Any]:
        """Return every message of a kind that came so far."""
        return [getattr(m, kind) for m in self.received if m.WhichOneof("message") == kind]

    def assignments(self) -> list[pb.Assignment]:
        """Return every assignment that came so far."""
        return [one for message in self.all("decisions") for one in message.assignments]

    def result(self, sequence: int) -> pb.UpdateResult | None:
        """Return the newest answer to a sequence, if one came."""
        answers = [r for results in self.all("decisions") for r in results.results]
        return next((r for r in reversed(answers) if r.sequence == sequence), None)

    async def report(self, task: str, status: int, *, sequence: int = 0, **details: Any) -> int:
        """Report a status and return its sequence."""
        self._sequence = sequence or self._sequence + 1
        update = {"sequence": self._sequence, "task_id": task, "status": status}
        await self.send(status_report={"updates": [update | ({"details": details} if details else {})]})
        return self._sequence

    async def answer(self, task: str, status: int, *, sequence: int = 0, **details: Any) -> pb.UpdateResult:
        """Report a status and return its answer."""
        looked_at = len(self.received)
        number = await self.report(task, status, sequence=sequence, **details)

        def answered() -> pb.UpdateResult | None:
            # Only what is new: a stream of thousands of answers must not be read again for each.
            nonlocal looked_at
            new, looked_at = self.received[looked_at:], len(self.received)
            answers = [r for message in new for r in message.decisions.results]
            return next((r for r in answers if r.sequence == number), None)

        found: pb.UpdateResult = await self.until(answered)
        return found

    async def ended(self) -> Answer:
        """Wait for the end of the stream and return how it ended."""
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.shield(self._reading)

    async def close(self) -> None:
        """Leave."""
        self.call.cancel()
        self._reading.cancel()
        await asyncio.wait({self._reading})


@dataclass
class Pool:
    """A running pool and its doors."""

    net: Devnet
    stack: AsyncExitStack
    tokens: dict[Address, str] = field(default_factory=dict)

    def channel(self, service: str = "core") -> grpc.aio.Channel:
        """Open a connection of its own; closed with the pool."""
        channel = open_channel(self.net.services[service].grpc, own_subchannel=True)
        self.stack.push_async_callback(channel.close, None)
        return channel

    @cached_property
    def workers(self) -> Any:
        """The worker service."""
        return WorkerServiceStub(self.channel())

    @cached_property
    def tasks(self) -> Any:
        """The task service."""
        return task_service_pb2_grpc.TaskServiceStub(self.channel())

    @cached_property
    def operators(self) -> Any:
        """The pool service."""
        return pool_service_pb2_grpc.PoolServiceStub(self.channel())

    def adapter_credentials(self) -> tuple[str, str]:
        """User name and password that the scheduler has for the chain adapter."""
        own = self.net.services["core"].spec.environment
        password = Path(own["IEXEC_CORE_CHAIN_ADAPTER_PASSWORD_FILE"]).read_text().strip()
        return own["IEXEC_CORE_CHAIN_ADAPTER_USERNAME"], password

    async def challenge(self, wallet: Wallet) -> LoginChallenge:
        """Ask for a login challenge."""
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
        """Log a wallet in, once, and return its token."""
        if wallet.address not in self.tokens:
            signature = to_hex(sign_challenge(wallet, await self.challenge(wallet)))
            request = pb.LoginRequest(wallet_address=wallet.address, signature=signature)
            answer = await self.workers.Login(request, timeout=PATIENCE_S)
            self.tokens[wallet.address] = answer.token
        return self.tokens[wallet.address]

    def token(
        self, wallet: str, *, key: bytes = b"", roles: tuple[str, ...] = ("worker",), **claims: Any
    ) -> str:
        """Make a token by hand, with the scheduler's own signing key unless another one is given."""
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
        """Open a stream and say nothing yet."""
        stub: Any = WorkerServiceStub(self.channel())
        stream = WorkerStream(stub.Connect(metadata=(("authorization", f"Bearer {token}"),)))
        self.stack.push_async_callback(stream.close)
        return stream

    async def connect(self, wallet: Wallet, **changes: Any) -> WorkerStream:
        """Open a stream, say Hello (with `changes`), wait for the Welcome."""
        stream = await self.open(await self.login(wallet))
        await stream.send(hello=hello(**changes))
        await stream.first("welcome")
        return stream

    async def log_challenge(self, wallet: Wallet) -> LogChallenge:
        """Ask for a log challenge."""
        return await task_logs.log_challenge(self.tasks, wallet)

    async def logs(
        self, task: str, reader: Wallet | None = None, *, worker: str = ""
    ) -> list[task_pb2.ComputeLogs]:
        """Read logs as the requester, or as somebody else."""
        reader = reader or self.net.accounts["requester"]
        return await task_logs.read_logs(self.tasks, task, reader, worker=worker)

    async def task(self, task: str) -> task_pb2.Task:
        """Read one task with its replicates."""
        answer = await self.tasks.GetTask(tasks.GetTaskRequest(task_id=task), timeout=PATIENCE_S)
        found: task_pb2.Task = answer.task
        return found

    async def buy(self, volume: int = 1, category: str = "DEV-60S", **purchase: Any) -> list[str]:
        """Buy tasks of an app that nobody will ever run; return their ids."""
        app = await self.app()
        deal = await self.net.buy(app, volume=volume, category=list(CATEGORIES).index(category), **purchase)
        return list(deal.task_ids)

    async def app(self) -> Address:
        """Create the app, once."""
        if not hasattr(self, "_app"):
            self._app = await self.net.create_app("contract", "example/never-run:1")
        return self._app


@pytest.fixture(name="hello", scope="session")
def _hello() -> Callable[..., dict[str, Any]]:
    """What a good worker says first, as a function of what is changed."""
    return hello


def hello(**changes: Any) -> dict[str, Any]:
    """What a good worker says first."""
    model = {"name": "by hand", "version": "contract-1", "slots": 64, "memory_bytes": 2**34}
    return {"protocol_version": 1, "model": model} | changes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(request: pytest.FixtureRequest) -> AsyncIterator[Pool]:
    """Registry, chain adapter, result proxy and core on an instantly mining chain; wallets of three workers."""
    # A worker that a test starts must not take the tasks that the test's own worker is to have.
    nowhere = f"http://127.0.0.1:{free_service_ports().http}"
    environment = {"worker": {"IEXEC_CORE_URL": nowhere}}
    net = Devnet(DevnetOptions(workers=3, services=SERVICES, environment=environment))
    settings: Callable[[Devnet], dict[str, str]] = getattr(request.module, "core_environment", lambda _: {})
    # The wallets, which some settings name, are known only now.
    environment["core"] = settings(net)
    async with net, AsyncExitStack() as stack:
        yield Pool(net, stack)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(pool) -> Bench:
    """Tasks that stay CREATED in one worker's hands."""
    first = await pool.connect(pool.net.worker_wallets[0])
    tasks = await pool.buy(volume=24)
    await first.until(lambda: len(first.assignments()) == len(tasks))
    await first.close()
    return Bench(pool, tasks)


@pytest_asyncio.fixture(loop_scope="module")
async def ours(bench):
    """A stream of the worker that holds the tasks."""
    stream = await bench.pool.connect(bench.ours)
    yield stream
    await stream.close()


@pytest_asyncio.fixture(loop_scope="module")
async def others(bench):
    """A stream of the worker that holds nothing."""
    stream = await bench.pool.connect(bench.other)
    yield stream
    await stream.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lone_worker(pool: Any) -> None:
    """A worker process whose scheduler is away: its side ports are open all the same."""
    service = pool.net.services["worker-1"]
    service.start()
    async with asyncio.timeout(20):
        while True:
            try:
                await http_calls.get(f"{service.http}/version")
                break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
    async with asyncio.timeout(20):
        await pool.channel("worker-1").channel_ready()
