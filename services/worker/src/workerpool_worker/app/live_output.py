"""Output of running apps on its way to the scheduler.

Delivery is best effort: nothing is journaled and no caller waits for it. The report of an app's end carries its logs.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from threading import Lock

from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.ids import TaskId

from workerpool_worker.app.ports import OutputSink
from workerpool_worker.domain.output_tail import OutputStream, OutputTail

log = get_logger()

FLUSH_PERIOD_S = 0.5
"""Each stream of each app sends at most one message per period."""


@dataclass(frozen=True, slots=True)
class OutputChunk:
    """A piece of an app's output."""

    task_id: TaskId
    stream: OutputStream
    text: str


class OutputBuffer:
    """Unsent output of one app. Implements the `OutputSink` port; thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tails = {stream: OutputTail() for stream in OutputStream}

    def add(self, stream: OutputStream, data: bytes) -> None:
        """Append output."""
        with self._lock:
            self._tails[stream].add(data)

    def mark_gap(self) -> None:
        """Record that output of either stream may be missing before the next call of `add`."""
        with self._lock:
            for tail in self._tails.values():
                tail.mark_gap()

    def drain(self, stream: OutputStream) -> str:
        """Remove and return the unsent text of a stream, bounded in length."""
        with self._lock:
            return self._tails[stream].drain()


class LiveOutput:
    """Unsent output of all running apps. Each flush visits every stream of every app once."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """Create it without apps. `wake` is called when the first flush becomes due."""
        self._wake = wake
        self._apps: dict[TaskId, OutputBuffer] = {}
        self._unvisited: list[tuple[TaskId, OutputStream]] = []
        self._next_flush = 0.0

    @asynccontextmanager
    async def followed(
        self, task_id: TaskId, follow: Callable[[OutputSink], Awaitable[None]]
    ) -> AsyncIterator[None]:
        """Send an app's output while the body runs. `follow` fills the sink until it is cancelled.

        An error of `follow` is logged and does not reach the body.
        """
        output = self._apps[task_id] = OutputBuffer()
        following = asyncio.create_task(_follow(follow, output, task_id), name=f"output-{task_id[:10]}")
        self._wake()
        try:
            yield
        finally:
            self._apps.pop(task_id, None)
            following.cancel()
            await asyncio.wait({following})

    def next_flush_at(self) -> float:
        """Return the due time of the next flush on the event loop's clock; infinity if no app runs."""
        return self._next_flush if self._apps else math.inf

    def next_chunk(self, now: float) -> OutputChunk | None:
        """Return the next chunk to send; None if there is none before `next_flush_at`."""
        if not self._unvisited and now >= self._next_flush:
            self._unvisited = [(task_id, stream) for task_id in self._apps for stream in OutputStream]
            self._next_flush = now + FLUSH_PERIOD_S
        while self._unvisited:
            task_id, stream = self._unvisited.pop()
            app = self._apps.get(task_id)
            if app is not None and (text := app.drain(stream)):
                return OutputChunk(task_id, stream, text)
        return None


async def _follow(
    follow: Callable[[OutputSink], Awaitable[None]], output: OutputSink, task_id: TaskId
) -> None:
    try:
        await follow(output)
    except Exception:
        log.exception("output.follow_failed", task=task_id)
