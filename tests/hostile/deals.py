"""A bought deal and everything that was seen of its tasks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import grpc
from workerpool_poco.protocol.ids import TaskId
from workerpool_protocol.core.v1 import task_service_pb2 as tasks
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatus, ReplicateStatusCause, TaskStatus
from workerpool_protocol.core.v1.task_pb2 import Task
from workerpool_protocol.core.v1.task_service_pb2_grpc import TaskServiceStub

from hostile.catalogue.entry import Entry

_ENDED = frozenset({"COMPLETED", "FAILED"})
_RETRY_SECONDS = 0.2
_LONGEST_WATCH_S = 30.0


@dataclass
class BoughtDeal:
    """One deal of the run."""

    number: int
    entry: Entry
    requester: str
    task_ids: list[TaskId]
    bought_at: float
    """Monotonic seconds when the match was mined."""
    limit_s: float = 0.0
    """Seconds that the deal may take, without allowances for faults and bad workers."""
    tasks: dict[str, Task] = field(default_factory=dict)
    """Latest state by task id."""
    ended: dict[str, float] = field(default_factory=dict)
    """Monotonic seconds when the end of a task was seen, by task id."""
    reasons: set[str] = field(default_factory=set)
    """Every reason for waiting that the scheduler stated."""

    @property
    def over(self) -> bool:
        """Whether every task has ended."""
        return len(self.ended) == len(self.task_ids)

    @property
    def seconds(self) -> float:
        """Seconds from the match to the end of the last task, or until now."""
        return (max(self.ended.values()) if self.over else time.monotonic()) - self.bought_at

    def see(self, task: Task) -> None:
        """Record a state of a task."""
        self.tasks[task.task_id] = task
        if task.waiting_reason:
            self.reasons.add(task.waiting_reason)
        if name(task) in _ENDED and task.task_id not in self.ended:
            self.ended[task.task_id] = time.monotonic()

    def wallets(self) -> set[str]:
        """Return the wallets of every worker that was tried, in lower case."""
        return {r.wallet_address.lower() for task in self.tasks.values() for r in task.replicates}

    def timeline(self, names: Mapping[str, str]) -> list[str]:
        """Return the history of the first tasks; `names` holds wallets in lower case → name."""
        lines = [
            f"deal {self.number} {self.entry.name} of {self.requester}, "
            f"{self.seconds:.1f} s, limit {self.limit_s:.1f} s"
        ]
        for task_id in self.task_ids[:3]:
            task = self.tasks.get(task_id)
            lines += [f"  {task_id}: unknown to the scheduler"] if task is None else _task_lines(task, names)
        return lines


def name(task: Task) -> str:
    """Return the current status of a task without its prefix."""
    return TaskStatus.Name(task.status).removeprefix("TASK_STATUS_")


def cause(task: Task) -> str:
    """Return the cause of the error result of a task; empty without one."""
    word = ReplicateStatusCause.Name(task.error_cause).removeprefix("REPLICATE_STATUS_CAUSE_")
    return "" if word == "UNSPECIFIED" else word


async def follow(core: str, deal: BoughtDeal) -> None:
    """Record every change of the tasks of a deal until each has ended, across restarts of the scheduler."""
    async with grpc.aio.insecure_channel(core) as channel:
        stub = TaskServiceStub(channel)
        await asyncio.gather(*(_follow_one(stub, deal, task_id) for task_id in deal.task_ids))


async def _follow_one(stub: TaskServiceStub, deal: BoughtDeal, task_id: TaskId) -> None:
    request = tasks.WatchTaskRequest(task_id=task_id)
    while task_id not in deal.ended:
        try:
            async for answer in stub.WatchTask(request, timeout=_LONGEST_WATCH_S):  # type: ignore[attr-defined]
                deal.see(answer.task)
                if task_id in deal.ended:
                    return
        except grpc.aio.AioRpcError:
            # The scheduler has not read the deal yet, restarts, or the time of the watch is over.
            await asyncio.sleep(_RETRY_SECONDS)


def _task_lines(task: Task, names: Mapping[str, str]) -> Iterable[str]:
    first = task.history[0].date.ToNanoseconds() / 1e9 if task.history else 0.0

    def at(nanoseconds: int) -> str:
        return f"{nanoseconds / 1e9 - first:6.1f} s"

    yield f"  {task.task_id} {name(task)} {cause(task)} {task.error_message} {task.waiting_reason}".rstrip()
    for change in task.history:
        status = TaskStatus.Name(change.status).removeprefix("TASK_STATUS_")
        yield f"    {at(change.date.ToNanoseconds())} {status}"
    for replicate in task.replicates:
        wallet = replicate.wallet_address
        yield f"    {names.get(wallet.lower(), 'worker')} {wallet}"
        for step in replicate.history:
            status = ReplicateStatus.Name(step.status).removeprefix("REPLICATE_STATUS_")
            why = ReplicateStatusCause.Name(step.cause).removeprefix("REPLICATE_STATUS_CAUSE_")
            why = "" if why == "UNSPECIFIED" else why
            yield f"      {at(step.date.ToNanoseconds())} {status} {why} {step.message[:200]}".rstrip()
