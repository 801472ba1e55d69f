"""Batched reads of the states of tasks from the chain."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.model import ChainTask, Contribution
from workerpool_poco.protocol.statuses import ChainTaskStatus

from workerpool_core.app.ports import TaskStateSource
from workerpool_core.domain.decisions import ReadTask
from workerpool_core.domain.events import TaskRead, TasksRead

log = get_logger()

_BACKOFF = Backoff(first_s=0.2, longest_s=1.0)
_MAX_BATCH = 200
_MAX_PER_EVENT = 50
"""Answers that the scheduler handles in one event; handling one takes about 0.1 ms."""


@dataclass(slots=True)
class _Request:
    """The wallets whose contributions to a task are read; `requested_at` is None for a read without a deadline."""

    wallets: set[str] = field(default_factory=set)
    requested_at: float | None = None

    def merge(self, wallets: Iterable[str], requested_at: float | None) -> None:
        """Merge another request of the same task; the answer carries the time of the oldest request."""
        self.wallets.update(wallets)
        if requested_at is not None:
            self.requested_at = (
                requested_at if self.requested_at is None else min(self.requested_at, requested_at)
            )


class TaskStateReader:
    """The executor of `ReadTask`; it answers each request once, as soon as the node answers."""

    def __init__(self, hub: TaskStateSource, answer: Callable[[TasksRead], None]) -> None:
        self._hub = hub
        self._answer = answer
        self._waiting: dict[TaskId, _Request] = {}
        self._requested = asyncio.Event()

    def request(self, wanted: ReadTask) -> None:
        """Queue a read, merged with a waiting request of the same task."""
        self._waiting.setdefault(wanted.task_id, _Request()).merge(wanted.wallets, wanted.requested_at)
        self._requested.set()

    async def run(self) -> None:
        """Answer requests until cancelled; they wait while the node is down."""
        pauses = _BACKOFF.steps()
        while True:
            await self._requested.wait()
            self._requested.clear()
            while self._waiting:
                batch = {task_id: self._waiting.pop(task_id) for task_id in list(self._waiting)[:_MAX_BATCH]}
                try:
                    answers = await self._read(batch)
                except PocoError as error:
                    log.warning("tasks.read_failed", tasks=len(batch), error=str(error))
                    for task_id, request in batch.items():
                        self._waiting.setdefault(task_id, _Request()).merge(
                            request.wallets, request.requested_at
                        )
                    await pauses.sleep()
                    continue
                pauses.reset()
                for first in range(0, len(answers), _MAX_PER_EVENT):
                    self._answer(TasksRead(tuple(answers[first : first + _MAX_PER_EVENT])))
                    # Yield to other coroutines.
                    await asyncio.sleep(0)

    async def _read(self, batch: dict[TaskId, _Request]) -> list[TaskRead]:
        # Every read names the block, because another node of the same provider may lag.
        block = await self._hub.block_number()
        ids = list(batch)
        tasks = await self._hub.view_tasks(ids, block=block)
        # The hub names every contributor, also one whose replicate the scheduler does not know.
        pairs = [
            (task_id, wallet)
            for (task_id, request), task in zip(batch.items(), tasks, strict=True)
            for wallet in sorted(request.wallets.union(task.contributors))
        ]
        found = await self._hub.view_contributions(pairs, block=block)
        contributions: dict[TaskId, dict[str, Contribution]] = {task_id: {} for task_id in ids}
        for (task_id, wallet), contribution in zip(pairs, found, strict=True):
            contributions[task_id][wallet] = contribution
        return [
            TaskRead(task_id, block, _known(task), contributions[task_id], batch[task_id].requested_at)
            for task_id, task in zip(ids, tasks, strict=True)
        ]


def _known(task: ChainTask) -> ChainTask | None:
    return None if task.status is ChainTaskStatus.UNSET else task
