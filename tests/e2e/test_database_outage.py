"""The database goes away at the start of a service or while tasks run: no task is lost and no service restarts."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import grpc
import http_calls
import pytest
import pytest_asyncio
from database_gate import DatabaseGate
from patience import PATIENCE_S
from workerpool_devnet.demo.follow import Progress, follow
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.ports import free_port
from workerpool_kit.grpc.client import error_reason, open_channel
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.core.v1.statuses_pb2 import TaskStatus
from workerpool_protocol.core.v1.task_service_pb2 import GetTaskRequest
from workerpool_protocol.core.v1.task_service_pb2_grpc import TaskServiceStub

from e2e.requester import Requester

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

_SHORT_S = 5.0
_EVERY_TIMEOUT_S = 20.0
"""Longer than each timeout of the driver: 2 s to connect or to find a primary, 12 s until it gives up a silent one."""
_LONG_S = 100.0
_STEP_S = 2.5
"""Longer than the driver's own retry of a read."""
_STOP_LIMIT_S = 25.0
"""The limit that docs/operations.md promises for SIGTERM."""
WITH_DATABASE = ("core", "chain_adapter", "result_proxy", "sms")
EACH = ["core", *(pytest.param(name, marks=pytest.mark.soak) for name in WITH_DATABASE if name != "core")]
"""Core in the short form too: each step of each start takes the driver some seconds."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """Run a pool with three workers and an SMS that restarts services that end."""
    workers = [f"worker-{number}" for number in (1, 2, 3)]
    services = ("registry", *WITH_DATABASE, *workers)
    async with Devnet(
        DevnetOptions(workers=len(workers), trust=5, restart=True, services=services)
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def _own_database(net: Devnet) -> None:
    if net.database.process is None:
        pytest.skip("MONGO_URI names a server that does not belong to the test")


def _kill(net: Devnet) -> None:
    net.database.kill()


def _freeze(net: Devnet) -> None:
    assert net.database.process is not None
    net.database.process.signal(signal.SIGSTOP)


async def _bring_back(net: Devnet) -> None:
    assert net.database.process is not None
    if net.database.process.running:
        net.database.process.signal(signal.SIGCONT)
    else:
        net.database.revive()
    await asyncio.to_thread(net.database.wait_ready)


@asynccontextmanager
async def _outage(net: Devnet, begin: Callable[[Devnet], None]) -> AsyncIterator[None]:
    begin(net)
    try:
        yield
    finally:
        await _bring_back(net)


async def _wait_database_down(net: Devnet, name: str) -> str:
    """Wait until a service's health says that the database does not answer; return the problem."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            health = await http_calls.get(f"{net.services[name].http}/actuator/health")
            database = health.json()["components"]["database"]
            if database["status"] != "UP":
                assert health.status == 503
                return str(database["details"]["problem"])
            await asyncio.sleep(0.1)


async def _refused_query(net: Devnet, task: TaskId) -> grpc.aio.AioRpcError:
    """Ask core for a task until it refuses; a call that it cannot answer yet may pass its deadline."""
    async with open_channel(net.services["core"].grpc, own_subchannel=True) as channel, asyncio.timeout(60):
        while True:
            try:
                await TaskServiceStub(channel).GetTask(GetTaskRequest(task_id=task), timeout=PATIENCE_S)
            except grpc.aio.AioRpcError as refused:
                return refused
            await asyncio.sleep(0.1)


async def _check_completed(requester: Requester, tasks: list[TaskId]) -> None:
    for task in tasks:
        record = await requester.on_chain(task)
        assert record.task.status is ChainTaskStatus.COMPLETED, record


@pytest.mark.parametrize("moment", ["TASK_STATUS_INITIALIZED", "TASK_STATUS_CONSENSUS_REACHED"])
async def test_every_task_completes_when_the_database_is_killed_and_returns(
    net: Devnet, requester: Requester, moment: str
) -> None:
    tasks = await requester.buy("one", volume=3) + await requester.buy("all", trust=5)
    pids = {name: net.services[name].pid for name in ("core", "chain_adapter", "result_proxy")}
    outages: list[asyncio.Task[None]] = []

    async def outage() -> None:
        async with _outage(net, _kill):
            await asyncio.sleep(_SHORT_S)

    def begin_once(progress: Progress) -> None:
        seen = {TaskStatus.Name(change.status) for task in progress.tasks.values() for change in task.history}
        if not outages and moment in seen:
            outages.append(asyncio.create_task(outage()))

    await requester.follow(tasks, begin_once)

    (ended,) = outages
    await ended
    await _check_completed(requester, tasks)
    for name, pid in pids.items():
        await net.services[name].wait_healthy(timeout=PATIENCE_S)
        assert net.services[name].pid == pid, f"{name} did not wait for the database"


@pytest.mark.parametrize("begin", [_kill, _freeze], ids=["killed", "frozen"])
@pytest.mark.parametrize("seconds", [_EVERY_TIMEOUT_S, pytest.param(_LONG_S, marks=pytest.mark.soak)])
async def test_every_service_waits_for_a_database_that_is_away_longer_than_any_timeout(
    net: Devnet, requester: Requester, begin: Callable[[Devnet], None], seconds: float
) -> None:
    pids = {name: net.services[name].pid for name in WITH_DATABASE}
    running = await requester.buy("all", trust=5)
    progress = Progress()
    following = asyncio.create_task(
        follow(net.services["core"].grpc, running, progress, timeout=seconds + PATIENCE_S)
    )
    async with asyncio.timeout(PATIENCE_S):
        while not progress.tasks:
            await asyncio.sleep(0.01)

    async with _outage(net, begin):
        ends_at = asyncio.get_running_loop().time() + seconds
        problems = await asyncio.gather(*(_wait_database_down(net, name) for name in WITH_DATABASE))
        refused = await _refused_query(net, running[0])
        bought = await requester.buy("one", volume=3)
        await asyncio.sleep(ends_at - asyncio.get_running_loop().time())
        # The reason is told at once in an outage that is older than the longest wait of a query.
        late = await asyncio.wait_for(_refused_query(net, running[0]), 5)

    assert all(problems), problems
    for error in (refused, late):
        assert error.code() is grpc.StatusCode.UNAVAILABLE, error
        assert error_reason(error) == "DATABASE_UNREACHABLE"
        assert "database" in str(error.details())
    await following
    await requester.follow(bought)
    await _check_completed(requester, running + bought)
    for name, pid in pids.items():
        service = net.services[name]
        await service.wait_healthy(timeout=PATIENCE_S)
        assert service.pid == pid, f"{name} did not wait for the database: {service.process.log_end()}"
        assert "Traceback" not in service.process.log.read_text(), service.process.log


@pytest.mark.parametrize("name", EACH)
async def test_a_service_waits_for_the_database_at_each_step_of_its_start(net: Devnet, name: str) -> None:
    service = net.services[name]
    service.stop_for_good()
    mongod = urlsplit(net.database.uri)
    assert mongod.hostname is not None
    assert mongod.port is not None
    gate = DatabaseGate("127.0.0.1", free_port(), (mongod.hostname, mongod.port), _STEP_S)
    environment, log = service.process.env, service.process.log
    assert environment is not None
    before = len(log.read_text()) if log.exists() else 0
    service.process.env = {
        variable: value for variable, value in environment.items() if variable != "MONGO_URI_FILE"
    } | {"MONGO_URI": gate.uri}
    try:
        async with gate.running():
            service.start()
            pid = service.pid
            await service.wait_healthy(timeout=PATIENCE_S)
            assert service.pid == pid, service.process.log_end()
            assert "Traceback" not in log.read_text()[before:], log
            assert len(gate.met) > 3, gate.met
            service.stop_for_good()
    finally:
        service.stop_for_good()
        service.process.env = environment
    await service.restart()


@pytest.mark.parametrize("name", EACH)
async def test_a_service_stops_on_request_while_the_database_is_frozen(net: Devnet, name: str) -> None:
    service = net.services[name]
    await service.restart()
    async with _outage(net, _freeze):
        await _wait_database_down(net, name)
        service.wanted = False
        service.process.terminate()
        ended = await asyncio.to_thread(service.process.wait, _STOP_LIMIT_S)
        assert ended, "it did not stop within the limit"
        assert service.process.exit_code == 0, service.process.log_end()
    await service.restart()
