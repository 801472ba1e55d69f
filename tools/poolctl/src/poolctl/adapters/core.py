"""Calls to core: the pool's state, workers and tasks, as plain documents."""

import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

from google.protobuf.duration_pb2 import Duration
from workerpool_protocol.core.v1 import deal_service_pb2 as deals
from workerpool_protocol.core.v1 import pool_service_pb2 as pool
from workerpool_protocol.core.v1 import statuses_pb2
from workerpool_protocol.core.v1 import task_service_pb2 as tasks
from workerpool_protocol.core.v1.deal_service_pb2_grpc import DealServiceStub
from workerpool_protocol.core.v1.pool_service_pb2_grpc import PoolServiceStub
from workerpool_protocol.core.v1.task_service_pb2_grpc import TaskServiceStub

from poolctl.adapters.plain import plain
from poolctl.adapters.services import Services
from poolctl.errors import NotFound, UnusableSettings

Document = dict[str, Any]

_PAGE, _WORKERS_PAGE = 200, 1_000
_FINAL = frozenset({"COMPLETED", "FAILED"})
_PREFIX = "TASK_STATUS_"
_HEAD = re.compile("0x[0-9a-f]{4,64}")
_WHOLE_IDS = "give 0x and 4 to 64 hexadecimal digits; `poolctl tasks -o json` lists whole ids"
_MATCHES = 100
"""Limit of tasks that are read to find a task by the start of its id."""

STATUSES = tuple(
    each.name.removeprefix(_PREFIX) for each in statuses_pb2.TaskStatus.DESCRIPTOR.values if each.number
)
"""Every status of a task, in the protocol's order."""
LIVE = tuple(name for name in STATUSES if name not in _FINAL)
"""The statuses of tasks that have not ended."""


class Core:
    """Calls to core."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def status(self) -> Document:
        """Return the summary of the pool."""
        return plain(await self._pool("GetPoolStatus", pool.GetPoolStatusRequest()))

    async def workers(
        self, *, alive_only: bool = False, text: str = "", limit: int = 100_000
    ) -> list[Document]:
        """Return the workers, by wallet; with `text` those whose name contains it or whose wallet starts with it."""
        request = pool.ListWorkersRequest(
            page_size=min(limit, _WORKERS_PAGE), alive_only=alive_only, text=text
        )
        found = await self._services.pages(
            "core", PoolServiceStub, "ListWorkers", request, "workers", limit=limit
        )
        return [plain(each) for each in found]

    async def worker(self, wallet: str) -> Document:
        """Return one worker and why it gets no work: the fields `worker` and `idle_reason`."""
        return plain(await self._pool("GetWorker", pool.GetWorkerRequest(wallet_address=wallet)))

    async def wallet_of(self, name: str) -> str:
        """Return the wallet of a worker named by its wallet, the head of it, or its public name. Raises NotFound."""
        if name.startswith("0x") and len(name) == 42:
            return name
        wanted = name.lower()
        found = {
            str(each["wallet_address"])
            for each in await self.workers(text=name)
            if each["name"] == name
            or (wanted.startswith("0x") and each["wallet_address"].lower().startswith(wanted))
        }
        return _one(found, name, "worker", "`poolctl workers` lists them")

    async def drain(self, wallet: str, *, for_s: float | None) -> Document:
        """Stop assigning work to a worker; return it."""
        duration = None if for_s is None else _duration(for_s)
        request = pool.DrainWorkerRequest(wallet_address=wallet, duration=duration)
        return await self._changed("DrainWorker", request)

    async def undrain(self, wallet: str) -> Document:
        """Assign work to a drained worker again; return it."""
        return await self._changed("UndrainWorker", pool.UndrainWorkerRequest(wallet_address=wallet))

    async def quarantine(self, wallet: str, *, for_s: float | None) -> Document:
        """Stop assigning work to a distrusted worker for some time; return it."""
        duration = None if for_s is None else _duration(for_s)
        request = pool.QuarantineWorkerRequest(wallet_address=wallet, duration=duration)
        return await self._changed("QuarantineWorker", request)

    async def unregistered(self, wallet: str) -> Document:
        """Return why a wallet that never registered gets no work: the fields `reason` and `registered`."""
        return plain(await self._pool("ExplainWorker", pool.ExplainWorkerRequest(wallet_address=wallet)))

    async def release(self, wallet: str) -> Document:
        """End a worker's quarantine; return it."""
        return await self._changed("ReleaseWorker", pool.ReleaseWorkerRequest(wallet_address=wallet))

    async def tasks(
        self,
        *,
        statuses: Sequence[str] = (),
        deal: str = "",
        requester: str = "",
        worker: str = "",
        head: str = "",
        limit: int = 50,
    ) -> list[Document]:
        """Return tasks, those of the newest deal first; with `head` those whose id starts with it."""
        request = tasks.ListTasksRequest(
            page_size=min(limit, _PAGE),
            statuses=[statuses_pb2.TaskStatus.Value(_PREFIX + each) for each in statuses],
            deal_id=deal,
            requester=requester,
            wallet_address=worker,
            task_id_head=head,
        )
        found = await self._services.pages(
            "core", TaskServiceStub, "ListTasks", request, "tasks", limit=limit
        )
        return [plain(each) for each in found]

    async def deals(self, *, requester: str = "", limit: int = 50) -> list[Document]:
        """Return deals, newest first."""
        request = deals.ListDealsRequest(page_size=min(limit, _PAGE), requester=requester)
        found = await self._services.pages(
            "core", DealServiceStub, "ListDeals", request, "deals", limit=limit
        )
        return [plain(each) for each in found]

    async def deal(self, deal_id: str) -> Document:
        """Return one deal, and the reasons of its tasks that wait or failed: the fields `deal` and `reasons`."""
        request = deals.GetDealRequest(deal_id=deal_id)
        return plain(await self._services.call("core", DealServiceStub, "GetDeal", request))

    async def task_logs(
        self, task_id: str, *, worker: str, follow: bool, tail: int
    ) -> AsyncIterator[Document]:
        """Yield pieces of the output of a task's apps; with `follow` until the task has ended. The operator's."""
        self._services.need_operator()
        request = tasks.WatchTaskLogsRequest(
            task_id=task_id, wallet_address=worker, follow=follow, tail_lines=tail
        )
        answers = self._services.stream("core", TaskServiceStub, "WatchTaskLogs", request, operator=True)
        async for answer in answers:
            yield plain(answer)

    async def task(self, task_id: str) -> Document:
        """Return one task with its replicates."""
        answer = await self._services.call(
            "core", TaskServiceStub, "GetTask", tasks.GetTaskRequest(task_id=task_id)
        )
        return plain(answer.task)

    async def watch(self, task_id: str) -> AsyncIterator[Document]:
        """Yield a task now and at each change, until it has ended."""
        request = tasks.WatchTaskRequest(task_id=task_id)
        async for answer in self._services.stream("core", TaskServiceStub, "WatchTask", request):
            yield plain(answer.task)

    async def task_id_of(self, name: str) -> str:
        """Return the id of a task named by its id, or by the head of it. Raises NotFound, UnusableSettings."""
        wanted = name.lower()
        if not wanted.startswith("0x"):
            wanted = f"0x{wanted}"
        if len(wanted) == 66:
            return wanted
        if not _HEAD.fullmatch(wanted):
            raise NotFound(f"{name} is not the head of a task id", _WHOLE_IDS)
        matching = await self.tasks(head=wanted, limit=_MATCHES)
        found = {str(each["task_id"]) for each in matching if each["task_id"].startswith(wanted)}
        return _one(found, name, "task", _WHOLE_IDS)

    async def _pool(self, method: str, request: Any) -> Any:
        return await self._services.call("core", PoolServiceStub, method, request)

    async def _changed(self, method: str, request: Any) -> Document:
        self._services.need_operator()
        answer = await self._services.call("core", PoolServiceStub, method, request, operator=True)
        return plain(answer.worker)


def _one(found: set[str], name: str, kind: str, next_step: str) -> str:
    if not found:
        raise NotFound(f"no {kind} is named {name} or starts with it", next_step)
    if len(found) > 1:
        raise UnusableSettings(
            f"{len(found)} {kind}s match {name}: {', '.join(sorted(found)[:3])}", next_step
        )
    return found.pop()


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromMilliseconds(round(seconds * 1_000))
    return duration
