"""The API over real gRPC with the real scheduler and a real database; chain and other services are absent."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from patience import PATIENCE_S
from workerpool_core.adapters.mongo.keys import StoredKeys
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.api import deal_service, pool_service, task_service, worker_service
from workerpool_core.app.engine.effects import Effects
from workerpool_core.app.engine.engine import Engine
from workerpool_core.app.engine.group_commit import GroupCommit
from workerpool_core.app.queries.compass import Compass
from workerpool_core.app.queries.deal_queries import DealQueries
from workerpool_core.app.queries.live_logs import LiveLogs
from workerpool_core.app.queries.log_access import LogAccess
from workerpool_core.app.queries.log_tail import LogTail
from workerpool_core.app.queries.pool_conditions import PoolConditions
from workerpool_core.app.queries.pool_view import PoolView
from workerpool_core.app.queries.pool_wallet import PoolWallet
from workerpool_core.app.queries.supply_view import SupplyView
from workerpool_core.app.queries.task_queries import TaskQueries
from workerpool_core.app.queries.watchers import Watchers
from workerpool_core.app.running import Core, PublicConfiguration, RunningCore
from workerpool_core.app.workers.assignments import Assignments
from workerpool_core.app.workers.heartbeats import Heartbeats
from workerpool_core.app.workers.login import Login
from workerpool_core.app.workers.refusals import Refusals
from workerpool_core.app.workers.sessions import Sessions
from workerpool_core.domain.decisions import ReadWeight
from workerpool_core.domain.events import WeightsRead
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.scheduler import Scheduler
from workerpool_kit.access.authenticators import OPERATOR, AnyOf, BasicAuthenticator, BearerAuthenticator
from workerpool_kit.access.tokens import Tokens
from workerpool_kit.clock import FakeClock
from workerpool_kit.grpc.client import error_reason, open_channel
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.mongo.database import Database
from workerpool_kit.process import Lifetime
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.typed_data import LoginChallenge, sign_challenge
from workerpool_poco.protocol.ids import Address, TaskId, to_hex
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.deal_service_pb2_grpc import (
    DealServiceStub,
    add_DealServiceServicer_to_server,
)
from workerpool_protocol.core.v1.pool_service_pb2_grpc import (
    PoolServiceStub,
    add_PoolServiceServicer_to_server,
)
from workerpool_protocol.core.v1.task_service_pb2_grpc import (
    TaskServiceStub,
    add_TaskServiceServicer_to_server,
)
from workerpool_protocol.core.v1.worker_service_pb2_grpc import (
    WorkerServiceStub,
    add_WorkerServiceServicer_to_server,
)

from services.core.tests.doubles.page_world import Adapter

POOL = "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27"
CHAIN_ID = 65535
_EOF: Any = grpc.aio.EOF  # type: ignore[attr-defined]
NOW = 1_700_000_000.5


class NoChain:
    """Reads weights without a chain: every worker has weight 2."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def request(self, wanted: ReadWeight) -> None:
        weighed = WeightsRead(((wanted.wallet, 2),), ((wanted.wallet, 10**9),))
        asyncio.get_running_loop().call_soon(self._engine.submit, weighed)


class Recorder:
    """Replaces the services that effects address, and records the requests."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def request(self, wanted: Any) -> None:
        self.asked.append(wanted)


@dataclass
class Api:
    """One core with its API on a free port."""

    store: Store
    core: Core
    clock: FakeClock
    engine: Engine
    sessions: Sessions
    commit: GroupCommit[Any]
    server: GrpcServer
    asked: Recorder
    health: Health
    channels: list[grpc.aio.Channel] = field(default_factory=list)

    def channel(self, **credentials: Any) -> grpc.aio.Channel:
        """Open a channel, closed with the fixture."""
        channel = open_channel(f"127.0.0.1:{self.server.port}", **credentials)
        self.channels.append(channel)
        return channel

    @property
    def workers(self) -> Any:
        return WorkerServiceStub(self.channel())

    @property
    def tasks(self) -> Any:
        return TaskServiceStub(self.channel())

    def tasks_as(self, **credentials: Any) -> Any:
        """Return the task service for a caller with credentials."""
        return TaskServiceStub(self.channel(**credentials))

    @property
    def deals(self) -> Any:
        return DealServiceStub(self.channel())

    def pool(self, **credentials: Any) -> Any:
        return PoolServiceStub(self.channel(**credentials))

    async def refused(self, call: Any) -> tuple[grpc.StatusCode, str | None]:
        """Return the status and reason with which a call is refused."""
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call
        return error.value.code(), error_reason(error.value)

    async def signed_login(self, wallet: Wallet, signer: Wallet | None = None) -> pb.LoginRequest:
        """Request the challenge of a wallet and sign it, with another wallet when `signer` is given."""
        asked = await self.workers.CreateChallenge(pb.CreateChallengeRequest(wallet_address=wallet.address))
        signature = sign_challenge(signer or wallet, challenge_of(asked.typed_data_json))
        return pb.LoginRequest(wallet_address=wallet.address, signature=to_hex(signature))

    async def login(self, wallet: Wallet) -> str:
        """Log a wallet in and return its token."""
        return str((await self.workers.Login(await self.signed_login(wallet))).token)

    def hello(self, *, version: str = "1.0", protocol: int = 1, slots: int = 2, gpus: int = 0) -> pb.Hello:
        """Return the first message of a worker."""
        model = pb.WorkerModel(
            name="w", version=version, os="linux", cpu="x86", slots=slots, memory_bytes=2**33, gpus=gpus
        )
        return pb.Hello(protocol_version=protocol, model=model)

    async def connect(self, wallet: Wallet, **hello: Any) -> "Stream":
        """Log in, open a stream and say Hello."""
        stream = await self.open(await self.login(wallet))
        await stream.send(hello=self.hello(**hello))
        return stream

    async def open(self, token: str) -> "Stream":
        """Open a stream with a token."""

        async def give() -> str:
            return token

        stub: Any = WorkerServiceStub(self.channel(token=give))
        return Stream(stub.Connect())


@dataclass
class Stream:
    """A worker's stream."""

    call: Any

    async def send(self, **message: Any) -> None:
        await self.call.write(pb.ConnectRequest(**message))

    async def receive(self) -> pb.ConnectResponse:
        """Return the next message. Fail after 10 s without one."""
        message: pb.ConnectResponse = await asyncio.wait_for(self.call.read(), PATIENCE_S)
        assert message is not _EOF, "the stream has ended"
        return message

    async def ended(self) -> tuple[grpc.StatusCode, str]:
        """Wait for the end of the stream and return its status and message."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.call.read() is not _EOF:
                pass
            return await self.call.code(), await self.call.details()


def challenge_of(typed_data_json: str) -> LoginChallenge:
    """Read a login challenge as a worker does."""
    data = json.loads(typed_data_json)
    message, domain = data["message"], data["domain"]
    assert domain["name"] == "Workerpool Core"
    return LoginChallenge(
        message["wallet"],
        message["challenge"],
        message["issuedAt"],
        domain["chainId"],
        domain["verifyingContract"],
    )


OpenApi = Callable[..., Awaitable[Api]]


@pytest.fixture
async def open_api(database: Database) -> AsyncIterator[OpenApi]:
    """`await open_api(whitelist=…, required_version=…, operator=…)` starts a core; a second call restarts it."""
    running: list[tuple[Api, Lifetime]] = []

    async def start(
        *, whitelist: tuple[Address, ...] = (), required_version: str = "", operator: bool = True
    ) -> Api:
        for earlier, lifetime in running:
            await _stop(earlier, lifetime)
        running.clear()
        lifetime, clock = Lifetime(), FakeClock(NOW)
        store = Store(database)
        newest = await store.recover()
        policy = Policy(required_worker_version=required_version)
        scheduler = Scheduler(policy, Random(1), await store.snapshot(policy, clock.now()))
        watchers, log_watchers = Watchers(), Watchers()
        live_logs = LiveLogs(scheduler.tasks, changed=log_watchers.moved)
        engine = Engine(
            scheduler,
            clock,
            observe=lambda _event, outcome, _now: live_logs.settle(outcome),
            crashed=lifetime.fail,
        )
        sessions, asked = Sessions(), Recorder()
        owner = Wallet.from_key("0x" + "11" * 32)
        port: Any = asked
        no_chain: Any = NoChain(engine)
        adapter: Any = Adapter()

        def moved(task_id: TaskId) -> None:
            watchers.moved(task_id)
            log_watchers.moved(task_id)

        effects = Effects(
            sessions=sessions,
            assignments=Assignments(owner, engine.tasks),
            transactions=port,
            reads=port,
            weights=no_chain,
            results=port,
            enclaves=port,
            moved=moved,
            assigned=lambda _task, _worker: None,
        )
        commit = GroupCommit(store, newest, effects.perform, effects.prepare)
        commit.start(lifetime)
        engine.start(commit)
        tokens = Tokens(
            StoredKeys(database),
            issuer="core",
            audience=POOL,
            lifetime_s=3600,
            rotate_after_s=86400,
            clock=clock,
        )
        queries = TaskQueries(
            store, commit, watchers, live_logs, engine.tasks, queued_tasks=lambda: engine.queued_tasks
        )
        nowhere: Any = SimpleNamespace(
            latest=None, position=SimpleNamespace(number=0), deals_seen=0, latest_deal_block=0
        )
        core, health, refusals = Core(), Health(), Refusals(clock)
        conditions = PoolConditions(health, refusals, wallet=lambda: None, blocks=lambda: (0, 0))
        running_core = RunningCore(
            configuration=PublicConfiguration(
                POOL,
                owner.address,
                "http://config:8888",
                "http://proxy:13200",
                required_version,
                "0.1.0",
                "0x",
            ),
            engine=engine,
            sessions=sessions,
            heartbeats=Heartbeats(engine.submit),
            live_logs=live_logs,
            login=Login(
                tokens,
                clock,
                chain_id=CHAIN_ID,
                pool=POOL,
                whitelist=whitelist,
                holds_work=lambda found: found in engine.workers and bool(engine.workers[found].held),
            ),
            queries=queries,
            log_access=LogAccess(queries, clock, CHAIN_ID),
            compass=Compass(POOL, CHAIN_ID, ""),
            view=PoolView(
                engine, nowhere, nowhere, clock, POOL, {}, lambda: engine.explain(conditions.now())
            ),
            supply=SupplyView(engine, nowhere, period_s=0.01),
            deals=DealQueries(store, store, engine, queries.wait_visible),
            log_tail=LogTail(queries, live_logs, engine.tasks, log_watchers),
            refusals=refusals,
            conditions=conditions,
            pool_wallet=PoolWallet(adapter, adapter, owner.address),
            clock=clock,
            token_lifetime_s=3600,
        )
        core.started(running_core)
        authenticators: list[Any] = [BearerAuthenticator(tokens.verify)]
        if operator:
            authenticators.append(BasicAuthenticator("ops", "secret", OPERATOR))
        server = GrpcServer(
            0,
            host="127.0.0.1",
            authenticator=AnyOf(*authenticators),
            policy=worker_service.POLICY
            | deal_service.POLICY
            | task_service.policy(operator_configured=operator)
            | pool_service.policy(operator_configured=operator),
        )
        server.add(
            add_WorkerServiceServicer_to_server, worker_service.WorkerServicer(core), worker_service.NAME
        )
        server.add(
            add_TaskServiceServicer_to_server,
            task_service.TaskServicer(core, operator_configured=operator),
            task_service.NAME,
        )
        server.add(add_DealServiceServicer_to_server, deal_service.DealServicer(core), deal_service.NAME)
        server.add(
            add_PoolServiceServicer_to_server,
            pool_service.PoolServicer(core, operator_configured=operator),
            pool_service.NAME,
        )
        await server.start()
        api = Api(store, core, clock, engine, sessions, commit, server, asked, health)
        running.append((api, lifetime))
        return api

    yield start
    for api, lifetime in running:
        await _stop(api, lifetime)


async def _stop(api: Api, lifetime: Lifetime) -> None:
    for channel in api.channels:
        await channel.close(None)
    await api.server.stop(2)
    api.engine.stop()
    await api.commit.drained()
    await lifetime.cancel_spawned()
    assert lifetime.failure is None


@pytest.fixture
async def api(open_api: OpenApi) -> Api:
    return await open_api()


@pytest.fixture
def wallet() -> Wallet:
    return Wallet.create()
