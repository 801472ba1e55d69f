"""Questions to other services that are under way: one for each subject, all given up when core stops."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Inquiries(Generic[K]):
    """Tasks of the event loop by what they ask about. It is true while something is under way."""

    def __init__(self) -> None:
        self._under_way: dict[K, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    def begin(self, subject: K, inquiry: Callable[[], Coroutine[Any, Any, None]], *, name: str) -> None:
        """Begin to ask; a question about the same subject that is under way already is not doubled."""
        if subject not in self._under_way:
            task = asyncio.create_task(inquiry(), name=name)
            self._under_way[subject] = task
            task.add_done_callback(lambda done: self._ended(subject, done))

    def answered(self, subject: K) -> None:
        """Free the subject's place before its answer is passed on, which may lead to the next question at once."""
        self._under_way.pop(subject, None)

    async def close(self) -> None:
        """Give up everything that is under way, and wait until it has ended."""
        under_way = list(self._under_way.values())
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def _ended(self, subject: K, task: asyncio.Task[None]) -> None:
        # The place may be the next question's by now.
        if self._under_way.get(subject) is task:
            del self._under_way[subject]
