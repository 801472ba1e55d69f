"""A server with the kit's guard and error map that answers as a test says, for the client."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from workerpool_kit.access.authenticators import ANYONE, OPERATOR, BasicAuthenticator
from workerpool_kit.grpc.server import GrpcServer
from workerpool_protocol.core.v1 import deal_service_pb2, pool_service_pb2, task_pb2, task_service_pb2
from workerpool_protocol.core.v1.deal_service_pb2_grpc import add_DealServiceServicer_to_server
from workerpool_protocol.core.v1.pool_service_pb2_grpc import add_PoolServiceServicer_to_server
from workerpool_protocol.core.v1.task_service_pb2_grpc import add_TaskServiceServicer_to_server

TASK = "0x" + "ab" * 32
WALLET = "0x" + "Cd" * 20
PASSWORD = "correct horse"
_SERVICES: dict[str, tuple[Any, Any]] = {
    "workerpool.core.v1.TaskService": (add_TaskServiceServicer_to_server, task_service_pb2),
    "workerpool.core.v1.PoolService": (add_PoolServiceServicer_to_server, pool_service_pb2),
    "workerpool.core.v1.DealService": (add_DealServiceServicer_to_server, deal_service_pb2),
}


class PoolDouble:
    """Pages of workers, a task, and calls that fail as often as the test says; other methods end with an error."""

    def __init__(self) -> None:
        self.pages: list[list[str]] = [[]]
        self.statuses: list[int] = []
        """Statuses that a watch sends."""
        self.failures: list[Exception] = []
        """Raised by the next calls, one each; a watch fails after its first message."""
        self.calls: list[tuple[str, float | None]] = []
        """Name and seconds left of each call."""
        self.logs: dict[str, str] = {}
        self.holds: asyncio.Event | None = None
        """Keeps a watch open after its last status until it is set."""
        self.held = asyncio.Event()
        """Set when a watch is kept open."""

    async def ListWorkers(self, request: pool_service_pb2.ListWorkersRequest, context: Any) -> Any:
        self._called("ListWorkers", context)
        number = int(request.page_token or 0)
        following = str(number + 1) if number + 1 < len(self.pages) else ""
        workers = [pool_service_pb2.Worker(wallet_address=wallet) for wallet in self.pages[number]]
        return pool_service_pb2.ListWorkersResponse(workers=workers, next_page_token=following)

    async def ListRefusals(self, request: Any, context: Any) -> Any:
        self._called("ListRefusals", context)
        return pool_service_pb2.ListRefusalsResponse()

    async def GetTask(self, request: task_service_pb2.GetTaskRequest, context: Any) -> Any:
        self._called("GetTask", context)
        return task_service_pb2.GetTaskResponse(task=task_pb2.Task(task_id=request.task_id))

    async def WatchTask(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.calls.append(("WatchTask", context.time_remaining()))
        for status in self.statuses:
            yield task_service_pb2.WatchTaskResponse(
                task=task_pb2.Task(task_id=request.task_id, status=status)  # type: ignore[arg-type]
            )
            self._fail()
        self._fail()
        if self.holds is not None:
            self.held.set()
            await self.holds.wait()

    async def CreateLogChallenge(self, request: Any, context: Any) -> Any:
        self._called("CreateLogChallenge", context)
        return task_service_pb2.CreateLogChallengeResponse(typed_data_json=f"challenge {len(self.calls)}")

    async def GetTaskLogs(self, request: task_service_pb2.GetTaskLogsRequest, context: Any) -> Any:
        self._called(f"GetTaskLogs {request.signature[-1]}", context)
        wanted = request.wallet_address or min(self.logs)
        kept = task_pb2.ComputeLogs(wallet_address=wanted, stdout=self.logs[wanted])
        others = [] if request.wallet_address else sorted(self.logs.keys() - {wanted})
        return task_service_pb2.GetTaskLogsResponse(compute_logs=[kept], left_out=others)

    def __getattr__(self, name: str) -> Any:
        if not name[0].isupper():
            raise AttributeError(name)
        return self._other

    async def _other(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    def _called(self, method: str, context: Any) -> None:
        self.calls.append((method, context.time_remaining()))
        self._fail()

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


async def started(double: PoolDouble, port: int = 0) -> GrpcServer:
    """Return a running server; ListRefusals is for the operator, all else is public."""
    policy = {
        f"/{name}/{method.name}": frozenset({OPERATOR if method.name == "ListRefusals" else ANYONE})
        for name, (_, module) in _SERVICES.items()
        for method in module.DESCRIPTOR.services_by_name[name.rpartition(".")[2]].methods
    }
    server = GrpcServer(
        port,
        host="127.0.0.1",
        policy=policy,
        authenticator=BasicAuthenticator("ops", PASSWORD, OPERATOR),
        max_open_streams=10,
    )
    for name, (add, _) in _SERVICES.items():
        server.add(add, double, name)
    await server.start()
    return server
