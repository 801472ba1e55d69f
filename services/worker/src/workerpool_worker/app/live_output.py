"""What running apps print, on its way to the scheduler while they run.

Best effort: nothing waits for it and nothing of it is kept. The report of an app's end carries its logs again.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from threading import Lock

import structlog
from workerpool_poco.protocol.ids import TaskId

from workerpool_worker.app.ports import OutputSink
from workerpool_worker.domain.output_tail import OutputStream, OutputTail

log = structlog.get_logger()

PERIOD_S = 0.5
"""What an app prints within this time is told in one message for each of its streams."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A piece of an app's output."""

    task_id: TaskId
    stream: OutputStream
    text: str


class AppOutput:
    """What one app printed and the scheduler was not told yet. Any thread may add to it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tails = {stream: OutputTail() for stream in OutputStream}

    def add(self, stream: OutputStream, data: bytes) -> None:
        """Append what was printed."""
        with self._lock:
            self._tails[stream].add(data)

    def skip(self) -> None:
        """Remember that something may be missing before what comes next."""
        with self._lock:
            for tail in self._tails.values():
                tail.skip()

    def take(self, stream: OutputStream) -> str:
        """Return what is new in a stream, in bounded length."""
        with self._lock:
            return self._tails[stream].take()


class LiveOutput:
    """The output of all running apps, told in rounds: in each, every stream of every app gets one message at most."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """Prepare. ``wake`` is called when rounds begin, so that who waits for the next one looks again."""
        self._wake = wake
        self._apps: dict[TaskId, AppOutput] = {}
        self._round: list[tuple[TaskId, OutputStream]] = []
        self._next_round = 0.0

    @asynccontextmanager
    async def shown(
        self, task_id: TaskId, follow: Callable[[OutputSink], Awaitable[None]]
    ) -> AsyncIterator[None]:
        """Show a task's app while the body runs: ``follow`` hands its output over until it is cancelled.

        Whatever befalls ``follow``, the body goes on.
        """
        output = self._apps[task_id] = AppOutput()
        following = asyncio.create_task(_followed(follow, output, task_id), name=f"output-{task_id[:10]}")
        self._wake()
        try:
            yield
        finally:
            self._apps.pop(task_id, None)
            following.cancel()
            await asyncio.wait({following})

    def next_round_at(self) -> float:
        """Return when there may be something to tell, on the event loop's clock; infinity while no app runs."""
        return self._next_round if self._apps else math.inf

    def next(self, now: float) -> Printed | None:
        """Return what to tell next; None when that is nothing before :meth:`next_round_at`."""
        if not self._round and now >= self._next_round:
            self._round = [(task_id, stream) for task_id in self._apps for stream in OutputStream]
            self._next_round = now + PERIOD_S
        while self._round:
            task_id, stream = self._round.pop()
            app = self._apps.get(task_id)
            if app is not None and (text := app.take(stream)):
                return Printed(task_id, stream, text)
        return None


async def _followed(
    follow: Callable[[OutputSink], Awaitable[None]], output: OutputSink, task_id: TaskId
) -> None:
    try:
        await follow(output)
    except Exception:
        log.exception("output.not_followed", task=task_id)
