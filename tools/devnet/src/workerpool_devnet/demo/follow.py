"""Follow running tasks through the scheduler, and read their final state from the chain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import grpc
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.contracts.events import (
    HubEvent,
    TaskContribute,
    TaskFinalize,
    TaskInitialize,
    TaskReveal,
)
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.core.v1 import task_pb2, task_service_pb2, task_service_pb2_grpc
from workerpool_protocol.core.v1.statuses_pb2 import (
    TASK_STATUS_COMPLETED,
    TASK_STATUS_FAILED,
    TaskStatus,
)

from workerpool_devnet.errors import DevnetError

_ENDED = (TASK_STATUS_COMPLETED, TASK_STATUS_FAILED)
_TRANSACTIONS = (TaskInitialize, TaskContribute, TaskReveal, TaskFinalize)


@dataclass
class Progress:
    """The latest state of each task, by task id."""

    tasks: dict[str, task_pb2.Task] = field(default_factory=dict)
    on_change: Callable[[], None] = lambda: None

    def update(self, task: task_pb2.Task) -> None:
        """Store a new state of a task."""
        self.tasks[task.task_id] = task
        self.on_change()


async def follow(core_target: str, task_ids: Sequence[TaskId], progress: Progress, *, timeout: float) -> None:
    """Follow tasks until the scheduler reports the end of each, across restarts of the scheduler.

    Raises `DevnetError` with the tasks that did not end within `timeout` seconds.
    """
    async with grpc.aio.insecure_channel(core_target) as channel:
        stub = task_service_pb2_grpc.TaskServiceStub(channel)
        try:
            async with asyncio.timeout(timeout), asyncio.TaskGroup() as group:
                for task_id in task_ids:
                    group.create_task(_follow_one(stub, task_id, progress))
        except TimeoutError as error:
            raise DevnetError(_not_ended(task_ids, progress, timeout)) from error


async def _follow_one(
    stub: task_service_pb2_grpc.TaskServiceAsyncStub, task_id: TaskId, progress: Progress
) -> None:
    while True:
        try:
            async for answer in stub.WatchTask(task_service_pb2.WatchTaskRequest(task_id=task_id)):
                progress.update(answer.task)
                if answer.task.status in _ENDED:
                    return
        except grpc.aio.AioRpcError as error:
            # NOT_FOUND: the scheduler has not read the deal yet. UNAVAILABLE: it restarts.
            if error.code() not in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE):
                raise
        await asyncio.sleep(0.05)


def _not_ended(task_ids: Sequence[TaskId], progress: Progress, timeout: float) -> str:
    states = []
    for task_id in task_ids:
        task = progress.tasks.get(task_id)
        if task is None:
            states.append(f"{task_id[:10]} unknown to the scheduler")
        elif task.status not in _ENDED:
            states.append(f"{task_id[:10]} is {TaskStatus.Name(task.status).removeprefix('TASK_STATUS_')}")
    return f"not every task ended within {timeout:g} s: {', '.join(states)}; the logs of the services say why"


@dataclass(frozen=True)
class ChainRecord:
    """One task on chain: its state, and its transactions by kind."""

    task: ChainTask
    transactions: tuple[HubEvent, ...]

    @property
    def completed(self) -> bool:
        """Whether the task is COMPLETED on chain."""
        return self.task.status is ChainTaskStatus.COMPLETED

    @property
    def final_block(self) -> int:
        """Block of the finalization; 0 without one."""
        return max(
            (e.position.block_number for e in self.transactions if isinstance(e, TaskFinalize)), default=0
        )

    def counts(self) -> str:
        """Return the number of transactions by kind, such as `1 initialize, 3 contribute, 3 reveal, 1 finalize`."""
        parts = []
        for kind in _TRANSACTIONS:
            sent = {e.position.transaction_hash for e in self.transactions if isinstance(e, kind)}
            if number := len(sent):
                parts.append(f"{number} {kind.__name__.removeprefix('Task').lower()}")
        return ", ".join(parts) or "none"


async def read_chain(hub: HubClient, task_id: TaskId, from_block: int) -> ChainRecord:
    """Read a task and its transactions from the chain."""
    task = await hub.view_task(task_id)
    logs = await hub.get_logs(
        from_block, await hub.block_number(), kinds=_TRANSACTIONS, first_indexed=[task_id]
    )
    return ChainRecord(task, tuple(logs))
