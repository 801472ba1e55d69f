"""Tells whoever follows a task that it changed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager


class Watchers:
    """Followers of tasks. A follower that is slow sees the newest state, not every one."""

    def __init__(self) -> None:
        self._events: dict[str, set[asyncio.Event]] = {}

    def moved(self, task_id: str) -> None:
        """Wake everyone who follows the task."""
        for event in self._events.get(task_id, ()):
            event.set()

    @contextmanager
    def _registered(self, task_id: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        self._events.setdefault(task_id, set()).add(event)
        try:
            yield event
        finally:
            followers = self._events[task_id]
            followers.discard(event)
            if not followers:
                del self._events[task_id]

    async def follow(self, task_id: str) -> AsyncIterator[None]:
        """Yield at once, and again after each change of the task."""
        with self._registered(task_id) as event:
            while True:
                yield
                await event.wait()
                event.clear()
