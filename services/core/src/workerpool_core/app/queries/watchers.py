"""Notification of the watchers of tasks."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from workerpool_poco.protocol.ids import TaskId

from workerpool_core.domain.model import Task

Read = Callable[[TaskId], Coroutine[Any, Any, Task]]
Settle = Callable[[], Awaitable[None]]
"""Returns once everything before the call can be read."""


class Watchers:
    """The watchers of each task; a slow watcher gets only the newest state."""

    def __init__(self) -> None:
        self._events: dict[TaskId, set[asyncio.Event]] = {}
        self._reads: dict[TaskId, tuple[int, asyncio.Task[Task]]] = {}
        """Reads in flight that started after the newest change of their task, with the version that they read."""

    def moved(self, task_id: TaskId) -> None:
        """Wake all watchers of a task."""
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
            watchers = self._events[task_id]
            watchers.discard(event)
            if not watchers:
                del self._events[task_id]

    async def read(self, task_id: TaskId, read: Read, version: int = 0) -> Task:
        """Read a task once for all concurrent callers, because thousands may watch one task.

        Callers share a read only of the same `version` of what is read.
        """
        version_read, in_flight = self._reads.get(task_id, (version, None))
        if in_flight is None or version_read != version:
            in_flight = asyncio.create_task(read(task_id), name=f"read of {task_id}")
            self._reads[task_id] = (version, in_flight)
            in_flight.add_done_callback(lambda done: self._read_ended(task_id, done))
        # A cancelled caller must not cancel the read of the others.
        return await asyncio.shield(in_flight)

    def _read_ended(self, task_id: TaskId, read: asyncio.Task[Task]) -> None:
        if self._reads.get(task_id, (0, None))[1] is read:
            del self._reads[task_id]
        if not read.cancelled():
            read.exception()  # mark it as retrieved, because there may be no waiter

    async def follow(self, task_id: TaskId, settle: Settle | None = None) -> AsyncGenerator[None, None]:
        """Yield immediately, and again after each change of the task; changes while `settle` runs count as one."""
        with self._registered(task_id) as event:
            while True:
                yield
                await event.wait()
                # Before `settle`, which may not cover a change after its start.
                event.clear()
                if settle is not None:
                    await settle()
