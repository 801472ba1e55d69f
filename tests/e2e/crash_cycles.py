"""Cycles of load and crash: a pool gets tasks, something crashes at a random moment, and the aftermath is judged."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from workerpool_devnet.demo.follow import Progress, follow
from workerpool_devnet.devnet import Devnet
from workerpool_poco.protocol.contracts.events import TaskContribute, TaskReveal
from workerpool_poco.protocol.ids import Address, TaskId
from workerpool_protocol.core.v1.statuses_pb2 import TASK_STATUS_COMPLETED, TASK_STATUS_FAILED

from e2e import history
from e2e.requester import Requester
from services.worker.tests.harness.host_state import at_rest

FOLLOWED_S = 600.0
"""Longest time of a load: a worker that lost its engine may be in quarantine for minutes."""

ENDED = (TASK_STATUS_COMPLETED, TASK_STATUS_FAILED)

Buy = Callable[[], Awaitable[list[TaskId]]]
"""Buys the load of one cycle."""
Crash = Callable[[random.Random], Awaitable[str]]
"""Lets something crash; returns what did."""
Left = Callable[[float], list[str]]
"""Returns what is left on the host of the tasks since a Unix time."""


@dataclass
class CrashCycles:
    """Cycles on one pool. The seed chooses the moments."""

    net: Devnet
    requester: Requester
    buy: Buy
    crash: Crash
    left: Left
    seed: int
    stages: Counter[str] = field(default_factory=Counter)
    """Statuses of the replicates of unfinished tasks at the crashes."""

    async def run(self, cycles: int) -> None:
        """Run one load without a crash, then the cycles. The moments lie within the shortest load so far."""
        chosen = random.Random(self.seed)
        span_s = await self._cycle(0, None)
        for number in range(1, cycles + 1):
            took_s = await self._cycle(number, chosen, moment_s=chosen.uniform(0.0, span_s))
            span_s = min(span_s, took_s)

    def figure(self) -> str:
        """Return at which statuses the crashes came."""
        return ", ".join(f"{status} {count}" for status, count in self.stages.most_common())

    async def _cycle(self, number: int, chosen: random.Random | None, moment_s: float = 0.0) -> float:
        """Run one load, and return the seconds from its purchase to the end of its last task."""
        since, sent = time.time(), await self._sent()
        tasks = await self.buy()
        progress, began = Progress(), time.monotonic()
        following = asyncio.create_task(
            follow(self.net.services["core"].grpc, tasks, progress, timeout=FOLLOWED_S)
        )
        try:
            if chosen is not None:
                await asyncio.wait({following}, timeout=moment_s)
                self.stages.update(_stages(progress) or ["no replicate"])
                crashed = await self.crash(chosen)
                print(f"cycle {number} of seed {self.seed}: {crashed} after {moment_s:.2f} s")
            await following
            took_s = time.monotonic() - began
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        await self._judge(tasks, sent)
        left = await at_rest(lambda: self.left(since))
        assert left == [], f"cycle {number}: {left}"
        return took_s

    async def _judge(self, tasks: Sequence[TaskId], before: dict[Address, int]) -> None:
        """Check that every task is completed, and that each transaction of a worker had its effect, once."""
        effects: Counter[Address] = Counter()
        for task in tasks:
            record = await self.requester.on_chain(task)
            assert record.completed, record
            events = [each for each in record.transactions if isinstance(each, TaskContribute | TaskReveal)]
            assert len({(type(each), each.worker) for each in events}) == len(events), record
            effects.update(each.worker for each in events)
        sent = await self._sent()
        assert {worker: sent[worker] - before[worker] for worker in sent} == {
            worker: effects[worker] for worker in sent
        }

    async def _sent(self) -> dict[Address, int]:
        """Return the number of transactions of each worker's wallet."""

        def read() -> dict[Address, int]:
            call = self.net.chain.rpc.call
            wallets = [wallet.address for wallet in self.net.worker_wallets]
            return {each: int(call("eth_getTransactionCount", each, "latest"), 16) for each in wallets}

        return await asyncio.to_thread(read)


def _stages(progress: Progress) -> list[str]:
    """Return the latest status of every replicate of a task that has not ended."""
    alive = [task for task in progress.tasks.values() if task.status not in ENDED]
    found = [replicate for task in alive for replicate in task.replicates]
    return [statuses[-1].name for each in found if (statuses := history.of_replicate(each))]
