"""The newest block, from the scheduler's stream, or from the worker's own node without a stream."""

import asyncio
from collections.abc import Callable

from workerpool_kit.runtime.tasks import end_tasks, start_task
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.protocol.model import Block

OnHead = Callable[[Block], None]


class PoolHeads:
    """The latest head of the chain.

    The scheduler sends heads over the worker's stream, so that thousands of workers read none from a node. Before the
    first one and after the loss of the stream, the worker polls its own node every few seconds.
    """

    def __init__(self, own: HeadStream) -> None:
        """Create it; `own` follows the worker's node and is not started."""
        self._own = own
        self._latest: Block | None = None
        self._changed = asyncio.Event()
        self._pushed = asyncio.Event()
        self._unpushed = asyncio.Event()
        self._unpushed.set()
        self._polling: asyncio.Task[None] | None = None
        self._on_head: list[OnHead] = []

    @property
    def latest(self) -> Block | None:
        """The latest head; None before the first."""
        return self._latest

    @property
    def pushed(self) -> bool:
        """Whether the scheduler sends heads, so that the worker reads none."""
        return self._pushed.is_set()

    @property
    def outage(self) -> Exception | None:
        """Why the worker's own node does not answer; None while it does, and while the scheduler sends heads."""
        return None if self.pushed else self._own.outage

    def on_head(self, callback: OnHead) -> None:
        """Call `callback` with each new head."""
        self._on_head.append(callback)

    def start(self) -> None:
        """Poll the worker's own node whenever the scheduler sends no heads."""
        if self._polling is None:
            self._polling = start_task(self._look(), name="own-heads")

    async def stop(self) -> None:
        """Stop following the chain."""
        polling, self._polling = self._polling, None
        if polling is not None:
            await end_tasks(polling)

    def take(self, head: Block) -> None:
        """Take a head of the scheduler, and stop polling at the worker's own node."""
        self._unpushed.clear()
        self._pushed.set()
        self._record(head)

    def stream_lost(self) -> None:
        """Poll the worker's own node again, because the scheduler sends no heads."""
        self._pushed.clear()
        self._unpushed.set()

    async def wait_change(self, limit_s: float) -> bool:
        """Wait up to `limit_s` seconds for a new head. Return whether one came."""
        changed = self._changed
        try:
            async with asyncio.timeout(limit_s):
                await changed.wait()
        except TimeoutError:
            return False
        return True

    async def _look(self) -> None:
        while True:
            await self._unpushed.wait()
            following = start_task(self._follow(), name="own-heads-reader")
            try:
                await self._pushed.wait()
            finally:
                await end_tasks(following)
                await self._own.stop()

    async def _follow(self) -> None:
        # The stream first repeats the head of its last run, which is outdated.
        old = self._own.latest
        async for head in self._own:
            if head != old and not self.pushed:
                self._record(head)

    def _record(self, head: Block) -> None:
        if head == self._latest:
            return
        self._latest = head
        self._changed.set()
        self._changed = asyncio.Event()
        for callback in self._on_head:
            callback(head)
