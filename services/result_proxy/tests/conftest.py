"""A result proxy process, and workers with revealed contributions on a real chain."""

import asyncio
import functools
import hashlib
import http.client
import io
import json
import os
import socket
import sys
import time
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from patience import PATIENCE_S
from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.market.trading import Market, Purchase
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_devnet.processes.ports import free_service_ports
from workerpool_devnet.processes.process import ManagedProcess
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_kit.grpc.call_status import answer_of
from workerpool_kit.grpc.client import error_info, error_reason
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import (
    WorkerpoolAuthorization,
    sign_authorization,
)
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.contracts.calls import Call
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_poco.protocol.results import result_hash, result_seal
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb
from workerpool_protocol.result_proxy.v1 import result_service_pb2_grpc as pb_grpc

from services.result_proxy.tests.wire import CHUNK, RevealedTask, header_of, messages, token_request

Environment = Callable[..., dict[str, str]]
"""Returns the environment of a proxy with a database of its own, changed by keyword arguments."""
LOG_LEVEL = "WARNING"


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            # Large contents here are noise, which deflate cannot compress.
            method = zipfile.ZIP_DEFLATED if len(content) < CHUNK else zipfile.ZIP_STORED
            archive.writestr(name, content, compress_type=method)
    return buffer.getvalue()


def result_files(text: bytes) -> dict[str, bytes]:
    """Return the output of an app: its result, and computed.json with the path of the result."""
    return {
        "computed.json": json.dumps({"deterministic-output-path": "/iexec_out/r.txt"}).encode(),
        "r.txt": text,
    }


class OnChain:
    """A workerpool and an app on the real contracts, and tasks at each step."""

    def __init__(self, chain: PocoChain) -> None:
        self.chain = chain
        self.rpc = chain.chain.rpc
        self.market = Market(self.rpc, chain.contracts)
        self.owner = chain.account("poolOwner")
        self.requester = chain.account("requester")
        self.pool = self.market.create_workerpool(self.owner, "result proxy tests")
        self.app = self.market.create_app(self.requester, "app", "image:result-proxy-tests")

    @property
    def worker(self) -> Wallet:
        return self.chain.account("worker-1")

    @property
    def stranger(self) -> Wallet:
        """Another worker of the same pool."""
        return self.chain.account("worker-2")

    def buy(
        self, *, trust: int = 1, category: int = 0, callback: str = ZERO_ADDRESS
    ) -> tuple[DealId, TaskId]:
        """Match orders for one task and initialize it; return the ids of deal and task."""
        (deal,) = self.market.buy(
            Purchase(
                requester=self.requester,
                app=self.app,
                app_owner=self.requester,
                workerpool=self.pool,
                pool_owner=self.owner,
                trust=trust,
                category=category,
                callback=callback,
            )
        )
        self.send(self.owner, calls.initialize(deal.deal_id, 0))
        return deal.deal_id, deal.task_ids[0]

    def authorize(
        self, deal_id: DealId, task_id: TaskId, worker: Wallet, *, by: Wallet | None = None
    ) -> WorkerpoolAuthorization:
        return sign_authorization(
            by or self.owner, worker=worker.address, task_id=task_id, deal_id=deal_id, task_index=0
        )

    def contribute(self, authorization: WorkerpoolAuthorization, worker: Wallet, digest: bytes) -> None:
        task = authorization.task_id
        hash_, seal = result_hash(task, digest), result_seal(worker.address, task, digest)
        self.send(worker, calls.contribute(task, hash_, seal, authorization.signature))

    def reveal(self, task_id: TaskId, worker: Wallet, digest: bytes) -> None:
        self.send(worker, calls.reveal(task_id, digest))

    def revealed(self, text: bytes = b"a result") -> RevealedTask:
        """Return a task of trust 1 in REVEALING, with the worker's contribution revealed."""
        worker = self.worker
        deal_id, task_id = self.buy()
        authorization = self.authorize(deal_id, task_id, worker)
        digest = hashlib.sha256(text).digest()
        self.contribute(authorization, worker, digest)
        self.reveal(task_id, worker, digest)
        return RevealedTask(task_id, worker, authorization, digest, zipped(result_files(text)))

    def send(self, wallet: Wallet, call: Call) -> None:
        outbox = Outbox(self.rpc)
        outbox.call(wallet, "call of the hub", self.chain.hub, call.data, gas=2_000_000)
        outbox.flush()


@pytest.fixture(scope="session")
def on_chain(poco_chain: PocoChain) -> OnChain:
    return OnChain(poco_chain)


@dataclass(frozen=True)
class Fetched:
    """A complete HTTP response."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """Return the body parsed as JSON."""
        return json.loads(self.content)


class Proxy:
    """One result proxy process and a client of it."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.environment = environment
        self.ports = free_service_ports()
        inherited = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG")}
        own = {"IEXEC_RESULT_PROXY_PORT": str(self.ports.http), "WORKERPOOL_GRPC_PORT": str(self.ports.grpc)}
        command = [sys.executable, "-m", "workerpool_result_proxy"]
        self.process = ManagedProcess("result_proxy", command, log=log, env=inherited | own | environment)
        self.http = f"http://127.0.0.1:{self.ports.http}"

    def start(self, *, healthy: bool = True) -> None:
        self.process.start()
        if healthy:
            self.process.wait_until(lambda: self.health() == 200, timeout=PATIENCE_S, what="healthy")

    def health(self) -> int:
        """Return the HTTP status of the health check, 0 while there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports.http, timeout=PATIENCE_S)
        try:
            connection.request("GET", "/actuator/health")
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def listening(self) -> bool:
        """Return whether the gRPC port accepts connections."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ports.grpc)) == 0

    def memory(self) -> int:
        """Return the process's peak resident memory so far, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024

    @functools.cached_property
    def _channel(self) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(f"127.0.0.1:{self.ports.grpc}")

    @property
    def stub(self) -> Any:
        return pb_grpc.ResultServiceStub(self._channel)

    async def close(self) -> None:
        if "_channel" in self.__dict__:
            await self._channel.close(None)

    async def fetch(self, path: str, method: str = "GET", **headers: str) -> Fetched:
        """Make an HTTP request; underscores in the names of headers stand for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(method, self.http + path, headers=named) as answer,
        ):
            return Fetched(answer.status, answer.headers, await answer.read())

    def temporary_files(self) -> list[Path]:
        temp = Path(self.environment["IEXEC_RESULT_PROXY_TEMP_DIR"])
        return [path for path in temp.glob("run-*/*") if path.name != "lock"]

    async def token(self, authorization: WorkerpoolAuthorization, signer: Wallet) -> str:
        request = await self.token_request(authorization, signer)
        return str((await self.stub.IssueToken(request, timeout=PATIENCE_S)).token)

    async def token_request(
        self, authorization: WorkerpoolAuthorization, signer: Wallet
    ) -> pb.IssueTokenRequest:
        """Return a request for a token that `signer` signed for a challenge of this proxy."""
        challenge = await self.stub.CreateChallenge(
            pb.CreateChallengeRequest(task_id=authorization.task_id, wallet_address=authorization.worker)
        )
        return token_request(authorization, signer, challenge.audience, challenge.nonce)

    async def upload(self, token: str, messages: Any, *, timeout: float = 60) -> str:
        metadata = (("authorization", f"Bearer {token}"),)
        answer = await answer_of(self.stub.Upload(messages, metadata=metadata, timeout=timeout))
        return str(answer.result_link)

    async def upload_task(self, task: RevealedTask, archive: bytes | None = None, **declared: Any) -> str:
        """Upload a result and return its link."""
        token = await self.token(task.authorization, task.worker)
        return await self.upload(token, messages(task, archive, **declared))

    async def download(self, task_id: TaskId, offset: int = 0) -> tuple[Any, bytes]:
        """Return the header and the bytes."""
        header, content = None, []
        async for part in self.stub.Download(pb.DownloadRequest(task_id=task_id, offset=offset)):
            if part.WhichOneof("part") == "header":
                header = part.header
            else:
                content.append(part.chunk)
        return header, b"".join(content)


@pytest.fixture(scope="session")
def proxy_environment(
    poco_chain: PocoChain, mongod: Mongod, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """Return a function that gives the environment of a proxy with a database of its own."""

    def build(**more: str) -> dict[str, str]:
        return {
            "MONGO_URI": mongod.uri,
            "MONGO_DATABASE": mongod.new_name("result_proxy"),
            "IEXEC_CHAIN_ID": str(poco_chain.chain_id),
            "IEXEC_BLOCKCHAIN_NODE_ADDRESS": poco_chain.url,
            "IEXEC_HUB_ADDRESS": poco_chain.hub,
            "IEXEC_BLOCK_TIME": "PT1S",
            "IEXEC_IS_SIDECHAIN": "true",
            "IEXEC_RESULT_PROXY_TEMP_DIR": str(tmp_path_factory.mktemp("proxy-temp")),
            "WORKERPOOL_LOG_LEVEL": LOG_LEVEL,
            **more,
        }

    return build


@pytest.fixture(scope="session")
def shared_process(
    proxy_environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[Proxy]":
    """Run one proxy for all tests that leave it running."""
    environment = proxy_environment(
        IEXEC_RESULT_PROXY_MAX_SIZE=str(8 << 20), IEXEC_RESULT_PROXY_UPLOAD_IDLE_TIMEOUT="PT1S"
    )
    proxy = Proxy(environment, tmp_path_factory.mktemp("proxy") / "log")
    proxy.start()
    yield proxy
    proxy.process.stop()


@pytest.fixture
async def proxy(shared_process: Proxy) -> AsyncIterator[Proxy]:
    yield shared_process
    await shared_process.close()
    shared_process.__dict__.pop("_channel", None)  # a channel belongs to one event loop


@pytest.fixture
async def own_proxy(proxy_environment: Environment, tmp_path: Path) -> AsyncIterator[Callable[..., Proxy]]:
    """Return a function that starts a proxy for this test only; pass `environment` to reuse a database."""
    started: list[Proxy] = []

    def start(*, healthy: bool = True, environment: dict[str, str] | None = None, **more: str) -> Proxy:
        settings = {**(environment or proxy_environment()), **more}
        proxy = Proxy(settings, tmp_path / f"proxy-{len(started)}.log")
        started.append(proxy)
        proxy.start(healthy=healthy)
        return proxy

    yield start
    for proxy in started:
        await proxy.close()
        proxy.process.stop()


class Refused:
    """Asserts that a call is refused for one reason; `code`, `message` and `details` are set afterwards."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    async def __aenter__(self) -> "Refused":
        return self

    async def __aexit__(self, _kind: object, error: object, _traceback: object) -> bool:
        assert isinstance(error, grpc.aio.AioRpcError), f"expected {self.reason}, got {error!r}"
        assert error_reason(error) == self.reason, f"{error.code()} {error.details()}"
        self.code, self.message = error.code(), error.details()
        info = error_info(error)
        assert info is not None
        self.details = dict(info.metadata)
        return True


@pytest.fixture
def refused() -> type[Refused]:
    return Refused


async def eventually(condition: Callable[[], Any], *, timeout: float = 40.0) -> None:
    """Wait until `condition()` is true."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        await asyncio.sleep(0.05)


@pytest.fixture
def client() -> type[Any]:
    """Return the functions above, for tests in other folders, which cannot import them."""

    class Client:
        pass

    for function in (zipped, result_files, messages, header_of, token_request, eventually):
        setattr(Client, function.__name__, staticmethod(function))
    return Client
