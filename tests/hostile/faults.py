"""Faults of a running pool, one after the other: killed processes, a stopped database, a paused node, full logs."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from small_volumes import SmallVolume
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.errors import DevnetError

_HEALTHY_SECONDS = 60.0
_DATABASE_SECONDS = 4.0
_NODE_SECONDS = 4.0
Say = Callable[[str], None]


@dataclass
class Window:
    """The time of one fault in monotonic seconds, until everything is healthy again."""

    what: str
    started: float
    ended: float = float("inf")
    harmless: bool = False
    """Whether the fault must slow nothing."""


@dataclass
class Faults:
    """Plants faults at intervals drawn from the seed."""

    net: Devnet
    chosen: random.Random
    workers: list[str]
    """Names of the workers that may be killed."""
    pause_s: float
    """Mean seconds between two faults."""
    logs: SmallVolume | None
    logs_full_s: float
    say: Say
    windows: list[Window] = field(default_factory=list)

    async def plant(self, seconds: float) -> None:
        """Plant faults for `seconds`."""
        end = time.monotonic() + seconds
        kinds = self._kinds()
        queue: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        while True:
            pause_s = self.chosen.uniform(0.5, 1.5) * self.pause_s
            if time.monotonic() + pause_s + _DATABASE_SECONDS > end:
                return
            await asyncio.sleep(pause_s)
            if not queue:
                queue = list(kinds.items())
                self.chosen.shuffle(queue)
            what, plant = queue.pop()
            await self._plant(what, plant)

    def seconds_between(self, started: float, ended: float) -> tuple[float, int]:
        """Return the seconds of harmful faults in an interval, and their number."""
        overlaps = [
            min(ended, window.ended) - max(started, window.started)
            for window in self.windows
            if not window.harmless and window.started < ended and window.ended > started
        ]
        return sum(overlaps), len(overlaps)

    def _kinds(self) -> dict[str, Callable[[], Awaitable[None]]]:
        kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "kill core": lambda: self._kill("core"),
            "kill chain_adapter": lambda: self._kill("chain_adapter"),
            "kill result_proxy": lambda: self._kill("result_proxy"),
            "kill a worker": lambda: self._kill(self.chosen.choice(self.workers)),
            "stop the database": self._stop_database,
            "pause the node": self._pause_node,
        }
        if self.logs is not None:
            kinds["fill the log volume"] = self._fill_logs
        return kinds

    async def _plant(self, what: str, plant: Callable[[], Awaitable[None]]) -> None:
        window = Window(what, time.monotonic(), harmless=what == "fill the log volume")
        self.windows.append(window)
        self.say(f"fault: {what}")
        try:
            await plant()
            await self.healthy()
        except (DevnetError, TimeoutError) as error:
            self.say(f"fault: {what}: {error}")
            raise
        finally:
            window.ended = time.monotonic()
        self.say(f"fault: {what} is over after {window.ended - window.started:.1f} s")

    async def healthy(self) -> None:
        """Wait until core, adapter and proxy are healthy."""
        for name in ("core", "chain_adapter", "result_proxy"):
            await self.net.services[name].wait_healthy(timeout=_HEALTHY_SECONDS)

    async def _kill(self, name: str) -> None:
        service = self.net.services[name]
        pid = service.pid
        service.kill()
        async with asyncio.timeout(_HEALTHY_SECONDS):
            while service.pid == pid:  # the devnet restarts it
                await asyncio.sleep(0.05)
        await service.wait_healthy(timeout=_HEALTHY_SECONDS)

    async def _stop_database(self) -> None:
        if self.net.database.process is None:
            return
        self.net.database.kill()
        try:
            await asyncio.sleep(_DATABASE_SECONDS)
        finally:
            self.net.database.revive()
        await asyncio.to_thread(self.net.database.wait_ready)

    async def _pause_node(self) -> None:
        self.net.chain.process.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(_NODE_SECONDS)
        finally:
            self.net.chain.process.signal(signal.SIGCONT)

    async def _fill_logs(self) -> None:
        assert self.logs is not None
        with full(self.logs):
            await asyncio.sleep(self.logs_full_s)


@contextlib.contextmanager
def full(volume: SmallVolume) -> Iterator[None]:
    """Keep a volume full inside a context."""
    volume.fill()
    try:
        yield
    finally:
        volume.free()
