"""Tells whoever follows a task that it changed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from workerpool_poco.protocol.ids import TaskId

from workerpool_core.domain.model import Task

Read = Callable[[TaskId], Coroutine[Any, Any, Task]]


class Watchers:
    """Followers of tasks. A follower that is slow sees the newest state, not every one."""

    def __init__(self) -> None:
        self._events: dict[TaskId, set[asyncio.Event]] = {}
        self._reads: dict[TaskId, asyncio.Task[Task]] = {}
        """Reads under way that began after the newest change of their task."""

    def moved(self, task_id: TaskId) -> None:
        """Wake everyone who follows the task."""
        self._reads.pop(task_id, None)
        for event in self._events.get(task_id, ()):
            event.set()

    @contextmanager
    def _registered(self, task_id: TaskId) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        self._events.setdefault(task_id, set()).add(event)
        try:
            yield event
        finally:
            followers = self._events[task_id]
            followers.discard(event)
            if not followers:
                del self._events[task_id]

    async def read(self, task_id: TaskId, read: Read) -> Task:
        """Read a task once for all who ask at the same time: thousands may follow one task."""
        under_way = self._reads.get(task_id)
        if under_way is None:
            under_way = self._reads[task_id] = asyncio.create_task(read(task_id), name=f"read of {task_id}")
            under_way.add_done_callback(lambda done: self._read_ended(task_id, done))
        # Whoever goes away leaves the others their answer.
        return await asyncio.shield(under_way)

    def _read_ended(self, task_id: TaskId, read: asyncio.Task[Task]) -> None:
        if self._reads.get(task_id) is read:
            del self._reads[task_id]
        if not read.cancelled():
            read.exception()  # told to those who wait for it, of whom none may be left

    async def follow(self, task_id: TaskId) -> AsyncIterator[None]:
        """Yield at once, and again after each change of the task."""
        with self._registered(task_id) as event:
            while True:
                yield
                await event.wait()
                event.clear()
