"""Group commit: items put while a write runs go into the next write together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from workerpool_kit.runtime.tasks import start_task

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batcher(Generic[Item, Answer]):
    """Batches single calls without delay: an item put while no write runs is written immediately.

    Items are written in the order of `put`, one batch at a time. Use it from one event loop.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        *,
        max_items: int = 500,
    ) -> None:
        """Create a batcher.

        Args:
            write: takes items and returns their answers in order, or raises for all of them.
            max_items: items of one write.
        """
        self._write = write
        self._max_items = max_items
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Answer:
        """Write one item and return its answer. Raises what the write raised; cancelling does not undo the write."""
        return await self.put(item)

    def put(self, item: Item, answer: asyncio.Future[Answer] | None = None) -> asyncio.Future[Answer]:
        """Queue one item and return the future of its answer: `answer`, if the caller has made it.

        The futures of a write resolve in the order of `put`.
        """
        if answer is None:
            answer = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._writer is None or self._writer.done():
            self._writer = start_task(self._drain(), name="batcher")
        return answer

    async def drained(self) -> None:
        """Wait until every item put before is written or has failed."""
        while self._writer is not None and not self._writer.done():
            await asyncio.wait({self._writer})

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._max_items], self._waiting[self._max_items :]
            try:
                answers = await self._write([item for item, _ in batch])
                if len(answers) != len(batch):
                    raise RuntimeError(f"the write of {len(batch)} items returned {len(answers)} answers")
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
            except BaseException:
                # The event loop ends, and every caller with it.
                for _, future in (*batch, *self._waiting):
                    future.cancel()
                raise
            else:
                for (_, future), answer in zip(batch, answers, strict=True):
                    if not future.done():
                        future.set_result(answer)
