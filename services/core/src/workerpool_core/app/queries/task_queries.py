"""Questions about tasks, answered from the store: what is told is durable, and as new as what was durable on asking."""

import asyncio
import base64
import binascii
import json
import re
from collections.abc import AsyncIterator
from typing import Any

from workerpool_kit.errors import DatabaseAway
from workerpool_poco.protocol.ids import DealId, TaskId, address

from workerpool_core.app.engine.group_commit import GroupCommit
from workerpool_core.app.ports import ComputeLogs, TaskPosition, TaskQuery, TaskRepository
from workerpool_core.app.queries.live_logs import LiveLogs
from workerpool_core.app.queries.watchers import Watchers
from workerpool_core.domain.model import Replicate, Task
from workerpool_core.errors import BadPageToken, UnknownReplicate, UnknownTask

_FOREIGN_TOKEN = "this page token was not given out by this service"
_TOO_LARGE = 2**63  # for the database
_DEAL_ID = re.compile("0x[0-9a-f]{64}")
PATIENCE_S = 10.0
"""How long a question waits for the collections to hold what the journal does: a tenth of a second, usually."""


class TaskQueries:
    """Reads tasks, replicates and logs."""

    def __init__(
        self,
        store: TaskRepository,
        commit: GroupCommit[Any],
        watchers: Watchers,
        live: LiveLogs,
        *,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._store = store
        self._commit = commit
        self._watchers = watchers
        self._live = live
        self._patience_s = patience_s

    async def _see_all(self) -> None:
        """Wait until what is durable can be read. Raises DatabaseAway rather than let a caller hang in an outage."""
        try:
            async with asyncio.timeout(self._patience_s):
                await self._commit.visible()
        except TimeoutError:
            raise DatabaseAway("the database does not take up what is durable; ask again soon") from None

    async def task(self, task_id: TaskId) -> Task:
        """Return a task with its replicates. Raises UnknownTask."""
        await self._see_all()
        task = await self._store.task(task_id)
        if task is None:
            raise UnknownTask(f"no deal of this pool holds task {task_id}")
        return task

    async def replicate(self, task_id: TaskId, wallet: str) -> Replicate:
        """Return one worker's work on a task. Raises UnknownReplicate."""
        await self._see_all()
        replicate = await self._store.replicate(task_id, address(wallet))
        if replicate is None:
            raise UnknownReplicate(f"worker {wallet} never took part in task {task_id}")
        return replicate

    async def tasks(self, query: TaskQuery, page_token: str, size: int) -> tuple[list[Task], str]:
        """Return one page of tasks without replicates, and the token of the next. Raises BadPageToken."""
        await self._see_all()
        found = await self._store.tasks(query, _position(page_token), size + 1)
        page = found[:size]
        return page, page_token_after(page[-1]) if len(found) > size else ""

    async def follow(self, task_id: TaskId) -> AsyncIterator[Task]:
        """Yield a task at once and after each change, until it has ended. Raises UnknownTask."""
        async for _ in self._watchers.follow(task_id):
            task = await self._watchers.read(task_id, self.task)
            yield task
            if task.ended:
                return

    async def logs(self, task_id: TaskId, wallet: str = "") -> list[ComputeLogs]:
        """Return the compute logs of a task: what workers reported, and what apps that still run printed so far."""
        await self._see_all()
        kept = await self._store.logs(task_id, wallet)
        reported = {logs.wallet for logs in kept}
        return kept + [logs for logs in self._live.of(task_id, wallet) if logs.wallet not in reported]


def page_token_after(task: Task) -> str:
    """Return the token of the page that begins after a task."""
    content = json.dumps([task.terms.block, task.terms.deal_id, task.index])
    return base64.urlsafe_b64encode(content.encode()).decode()


def _position(token: str) -> TaskPosition | None:
    if not token:
        return None
    try:
        block, deal_id, index = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise BadPageToken(_FOREIGN_TOKEN) from error
    numbers = all(type(number) is int and abs(number) < _TOO_LARGE for number in (block, index))
    if not (numbers and isinstance(deal_id, str) and _DEAL_ID.fullmatch(deal_id)):
        raise BadPageToken(_FOREIGN_TOKEN)
    return TaskPosition(block, DealId(deal_id), index)
