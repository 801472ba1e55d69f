"""Queries of tasks, answered with everything that was durable when the query arrived.

Tasks in the scheduler's memory are answered from there, once their state is durable. The store answers for every other
task, for lists and for logs.
"""

import asyncio
import base64
import binascii
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from workerpool_kit.errors import DatabaseUnavailable
from workerpool_poco.protocol.encoding.json_text import loads_bounded
from workerpool_poco.protocol.ids import DealId, TaskId, address
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.app.engine.group_commit import GroupCommit
from workerpool_core.app.ports import ComputeLogs, TaskPosition, TaskQuery, TaskRepository
from workerpool_core.app.queries.live_logs import LiveLogs
from workerpool_core.app.queries.watchers import Watchers
from workerpool_core.domain.model import Replicate, Task
from workerpool_core.errors import BadPageToken, UnknownReplicate, UnknownTask

_FOREIGN_TOKEN = "this page token is not from this service; start again without one"
_MAX_STORED = 2**63
_DEAL_ID = re.compile("0x[0-9a-f]{64}")
_DAY_S = 86_400.0
VISIBLE_TIMEOUT_S = 10.0
"""Longest wait of a query for the journal and the collections, in seconds; usually a few milliseconds."""

_GATHER_S = 0.1
"""Seconds during which changes of a watched task are merged; a quick task passes through several statuses in it."""


class TaskQueries:
    """Queries of tasks, replicates and logs."""

    def __init__(
        self,
        store: TaskRepository,
        commit: GroupCommit[Any],
        watchers: Watchers,
        live: LiveLogs,
        tasks: Mapping[TaskId, Task],
        *,
        timeout_s: float = VISIBLE_TIMEOUT_S,
        queued_tasks: Callable[[], int] = lambda: 0,
        retention_s: float | None = None,
    ) -> None:
        """Create queries.

        `tasks` are those in the scheduler's memory, which may be ahead of the store. `queued_tasks` returns how many
        tasks of known deals are not created yet. `retention_s` is the time after which ended tasks are removed, in
        seconds; None without one.
        """
        self._retention_s = retention_s
        self._queued_tasks = queued_tasks
        self._store = store
        self._commit = commit
        self._watchers = watchers
        self._live = live
        self._tasks = tasks
        self._timeout_s = timeout_s

    async def wait_visible(self) -> None:
        """Wait until the collections hold what is durable now. Raises DatabaseUnavailable in an outage."""
        await self._in_time(self._commit.visible(), "the collections lag behind the journal")

    async def wait_durable(self) -> None:
        """Wait until every decision so far is durable. Raises DatabaseUnavailable in an outage.

        The decisions still become durable after the outage.
        """
        await self._in_time(self._commit.durable(), "the journal has not taken the newest changes yet")

    async def _in_time(self, done: Awaitable[None], lag: str) -> None:
        # An outage that has lasted longer is told at once.
        limit_s = max(0.0, self._timeout_s - self._commit.stalled_s())
        try:
            async with asyncio.timeout(limit_s):
                await done
        except TimeoutError:
            stalled_s = self._commit.stalled_s()
            problem = (
                f"the database has not answered core for {stalled_s:.0f} s; core waits for it and continues by itself"
                if stalled_s >= self._timeout_s
                else lag
            )
            raise DatabaseUnavailable(f"{problem}; retry in a few seconds") from None

    async def task(self, task_id: TaskId) -> Task:
        """Return a task with its replicates. Raises UnknownTask, and DatabaseUnavailable in an outage."""
        if (held := await self._held_task(task_id)) is not None:
            return held
        await self.wait_visible()
        return await self._visible_task(task_id)

    async def _held_task(self, task_id: TaskId) -> Task | None:
        """Return a task that the scheduler holds as it is now, once that is durable; None for any other task."""
        held = self._tasks.get(task_id)
        if held is None:
            return None
        copy = held.copy()
        await self.wait_durable()
        return copy

    async def _visible_task(self, task_id: TaskId) -> Task:
        task = await self._store.task(task_id)
        if task is None:
            raise UnknownTask(self._explain_unknown(task_id))
        return task

    def _explain_unknown(self, task_id: TaskId) -> str:
        if queued := self._queued_tasks():
            return (
                f"task {task_id} does not exist: it may be one of the {queued} queued tasks of large deals, which are "
                "created when workers can serve them; retry later, or check the id and the pool"
            )
        removed = (
            f"This pool removes tasks {self._retention_s / _DAY_S:.0f} days after their final deadline. "
            if self._retention_s is not None
            else ""
        )
        return (
            f"no deal of this pool contains task {task_id}; check the id and the pool. {removed}A deal whose tag "
            "requires an enclave and whose trust is above 1 is never served: its price is refunded after "
            "the final deadline (iexec deal claim)"
        )

    async def replicate(self, task_id: TaskId, wallet: str) -> Replicate:
        """Return the replicate of one worker for one task. Raises UnknownReplicate."""
        await self.wait_visible()
        replicate = await self._store.replicate(task_id, address(wallet))
        if replicate is None:
            raise UnknownReplicate(
                f"worker {wallet} has no replicate of task {task_id}; check the wallet and the task id"
            )
        return replicate

    async def tasks(self, query: TaskQuery, page_token: str, size: int) -> tuple[list[Task], str]:
        """Return one page of tasks without replicates, and the token of the next. Raises BadPageToken."""
        await self.wait_visible()
        found = await self._store.tasks(query, _position(page_token), size + 1)
        page = found[:size]
        return page, page_token_after(page[-1]) if len(found) > size else ""

    async def with_outcomes(self, page: Sequence[Task]) -> None:
        """Add the replicates of failed tasks to a page that was read without, because they explain the failures."""
        failed = [task for task in page if task.status is TaskStatus.FAILED and not task.replicates]
        if failed:
            await self._store.with_replicates(failed)

    async def follow(self, task_id: TaskId) -> AsyncIterator[Task]:
        """Yield a task immediately and after its changes, until it has ended. Raises UnknownTask.

        Changes within a tenth of a second, in which a quick task passes through several statuses, count as one.
        """
        async for _ in self._watchers.follow(task_id, lambda: asyncio.sleep(_GATHER_S)):
            task = await self._held_task(task_id)
            if task is None:
                await self.wait_visible()
                # A read that began with fewer changes may lack the one that woke this watcher.
                task = await self._watchers.read(task_id, self._visible_task, self._commit.applied)
            yield task
            if task.ended:
                return

    async def logs(self, task_id: TaskId, wallet: str = "") -> list[ComputeLogs]:
        """Return the compute logs of a task: those that workers reported, and the output so far of running apps."""
        await self.wait_visible()
        kept = await self._store.logs(task_id, wallet)
        reported = {logs.wallet for logs in kept}
        return kept + [logs for logs in self._live.of(task_id, wallet) if logs.wallet not in reported]


def page_token_after(task: Task) -> str:
    """Return the token of the page that starts after a task."""
    content = json.dumps([task.terms.block, task.terms.deal_id, task.index])
    return base64.urlsafe_b64encode(content.encode()).decode()


def _position(token: str) -> TaskPosition | None:
    if not token:
        return None
    try:
        block, deal_id, index = loads_bounded(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError, binascii.Error) as error:
        raise BadPageToken(_FOREIGN_TOKEN) from error
    numbers = all(type(number) is int and abs(number) < _MAX_STORED for number in (block, index))
    if not (numbers and isinstance(deal_id, str) and _DEAL_ID.fullmatch(deal_id)):
        raise BadPageToken(_FOREIGN_TOKEN)
    return TaskPosition(block, DealId(deal_id), index)
