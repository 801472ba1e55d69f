"""The process of simulated workers: reads orders as JSON lines on stdin, answers on stdout, ends with stdin.

A separate process keeps the processor time of the workers apart from that of the scheduler.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from workerpool_poco.chain.wallet import Wallet

from bench import bags
from bench.replicates import COMPUTED, Rhythm
from bench.worker import PoolAddress, SimulatedWorker

_LOOK_S = 0.005


class Simulator:
    """Groups of workers by name. Each order is one public method; its keyword arguments come from the JSON."""

    def __init__(self, pool: PoolAddress) -> None:
        self._pool = pool
        self._groups: dict[str, list[SimulatedWorker]] = {}
        self._running: list[asyncio.Task[None]] = []
        self._problems: Counter[str] = Counter()
        self._dispatches: list[float] = []
        self._done = 0
        self._round_is_over = asyncio.Event()
        self._round_over_at = 0.0
        self._wanted = 0

    async def connect(
        self, *, group: str, first: int, workers: int, slots: int, spread_s: float
    ) -> dict[str, Any]:
        """Open the streams of new workers over `spread_s` seconds; answer when all have a Welcome."""
        started = time.monotonic()
        made = [self._worker(number, slots) for number in range(first, first + workers)]
        self._groups[group] = made
        self._running += [
            asyncio.create_task(worker.run(delay_s=spread_s * place / workers))
            for place, worker in enumerate(made)
        ]
        await self._until(lambda: all(worker.connections for worker in made))
        return {"seconds": time.monotonic() - started}

    async def round(
        self,
        *,
        group: str,
        count: int,
        rhythm: str = "gathered",
        until: int = COMPUTED,
        refill: bool = True,
    ) -> dict[str, Any]:
        """Let a group report its replicates up to `until`; answer after the acknowledgement of `count` replicates.

        The group keeps later assignments; `refill` waits until every slot is full again. Dispatch latencies are in
        seconds. Only one round runs at a time.
        """
        workers = self._groups[group]
        self._done, self._wanted, self._dispatches = 0, count, []
        self._round_is_over.clear()
        started = time.monotonic()
        for worker in workers:
            worker.open, worker.until, worker.rhythm = True, until, Rhythm(rhythm)
            worker.advance()
        await self._round_is_over.wait()
        for worker in workers:
            worker.open = False
        dispatches, self._dispatches = self._dispatches, []
        await self._until(lambda: all(worker.is_quiet(refill) for worker in workers))
        return {"seconds": self._round_over_at - started, "dispatches": dispatches}

    async def full(self, *, group: str, count: int) -> dict[str, Any]:
        """Answer when the group holds `count` replicates."""
        await self._until(lambda: sum(len(worker.held) for worker in self._groups[group]) >= count)
        return {}

    async def reached(self, *, count: int) -> dict[str, Any]:
        """Answer when `count` replicates of the current round are done."""
        await self._until(lambda: self._done >= count)
        return {}

    async def back(self, *, connections: int) -> dict[str, Any]:
        """Answer when every worker has received `connections` Welcomes, with the time (monotonic seconds)."""
        workers = [worker for group in self._groups.values() for worker in group]
        await self._until(lambda: all(worker.connections >= connections for worker in workers))
        return {"at": time.monotonic()}

    async def state(self, *, group: str) -> dict[str, Any]:
        """Answer with the states of the workers of a group, for diagnosis."""
        states = Counter(worker.state for worker in self._groups[group])
        return {"workers": {str(state): count for state, count in states.items()}, "done": self._done}

    async def problems(self) -> dict[str, Any]:
        """Answer with the problems since the last call and their counts."""
        found, self._problems = dict(self._problems), Counter()
        return {"problems": found}

    def _worker(self, number: int, slots: int) -> SimulatedWorker:
        return SimulatedWorker(
            Wallet.from_key(bags.worker_key(number)),
            self._pool,
            slots,
            on_done=self._one_done,
            on_dispatch=lambda seconds: self._dispatches.append(seconds),
            on_problem=lambda text: self._problems.update([text]),
        )

    def _one_done(self) -> None:
        self._done += 1
        if self._done == self._wanted:
            self._round_over_at = time.monotonic()
            self._round_is_over.set()

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            for task in self._running:
                if task.done():
                    task.result()
            await asyncio.sleep(_LOOK_S)


async def _serve(pool: PoolAddress, lines: asyncio.Queue[str | None]) -> None:
    simulator = Simulator(pool)
    pending: set[asyncio.Task[None]] = set()

    async def obey(order: dict[str, Any]) -> None:
        answer = await getattr(simulator, order["order"])(**order["arguments"])
        print(json.dumps({"number": order["number"], **answer}), flush=True)

    while (line := await lines.get()) is not None:
        task = asyncio.create_task(obey(json.loads(line)))
        pending.add(task)
        task.add_done_callback(pending.discard)
        task.add_done_callback(_end_on_error)


def _end_on_error(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        asyncio.get_running_loop().call_exception_handler({"message": "an order failed", "exception": error})
        asyncio.get_running_loop().stop()


async def _main(target: str, chain_id: int, workerpool: str) -> None:
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def listen() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=listen, daemon=True).start()
    await _serve(PoolAddress(target, chain_id, workerpool), lines)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
