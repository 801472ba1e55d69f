"""Reads of the chain that the scheduler asks for, gathered into batches while one is under way."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from workerpool_kit.logs import get_logger
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.consensus import weight_from_score
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.model import ChainTask, Contribution
from workerpool_poco.protocol.statuses import ChainTaskStatus

from workerpool_core.app.ports import TaskStateSource
from workerpool_core.domain.decisions import ReadTask, ReadWeight
from workerpool_core.domain.events import TaskRead, WeightsRead

log = get_logger()

_RETRY_FIRST_S, _RETRY_LAST_S = 0.2, 1.0
_MOST_AT_ONCE = 200
_GATHER_S = 0.05
"""How long a worker's first work may be late for it: a read costs little more for many than for one."""


@dataclass(slots=True)
class _Wanted:
    """What is wanted of one task: contributions of wallets, and since when (None: just now)."""

    wallets: set[str] = field(default_factory=set)
    asked_at: float | None = None

    def join(self, wallets: Iterable[str], asked_at: float | None) -> None:
        """Take another request of the same task; the answer is as old as the oldest of them."""
        self.wallets.update(wallets)
        if asked_at is not None:
            self.asked_at = asked_at if self.asked_at is None else min(self.asked_at, asked_at)


class TaskReads:
    """Carries out `ReadTask`. Each request is answered once, as soon as the node answers."""

    def __init__(self, hub: TaskStateSource, answer: Callable[[TaskRead], None]) -> None:
        self._hub = hub
        self._answer = answer
        self._waiting: dict[TaskId, _Wanted] = {}
        self._something = asyncio.Event()

    def request(self, wanted: ReadTask) -> None:
        """Queue a read; several of one task that wait together become one."""
        self._waiting.setdefault(wanted.task_id, _Wanted()).join(wanted.wallets, wanted.asked_at)
        self._something.set()

    async def run(self) -> None:
        """Answer requests, for ever; while the node is down they wait."""
        pause = _RETRY_FIRST_S
        while True:
            await self._something.wait()
            self._something.clear()
            while self._waiting:
                ids = list(self._waiting)[:_MOST_AT_ONCE]
                wanted = {task_id: self._waiting.pop(task_id) for task_id in ids}
                try:
                    answers = await self._read(wanted)
                except PocoError as error:
                    log.warning("chain.read_failed", tasks=len(wanted), error=str(error))
                    for task_id, ask in wanted.items():
                        self._waiting.setdefault(task_id, _Wanted()).join(ask.wallets, ask.asked_at)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _RETRY_LAST_S)
                    continue
                pause = _RETRY_FIRST_S
                for answer in answers:
                    self._answer(answer)

    async def _read(self, wanted: dict[TaskId, _Wanted]) -> list[TaskRead]:
        # The block is named in every read: another node of the same provider may lag behind the one that told it.
        block = await self._hub.block_number()
        ids = list(wanted)
        tasks = await self._hub.view_tasks(ids, block=block)
        pairs = [(task_id, wallet) for task_id, ask in wanted.items() for wallet in sorted(ask.wallets)]
        found = await self._hub.view_contributions(pairs, block=block)
        contributions: dict[TaskId, dict[str, Contribution]] = {task_id: {} for task_id in ids}
        for (task_id, wallet), contribution in zip(pairs, found, strict=True):
            contributions[task_id][wallet] = contribution
        return [
            TaskRead(task_id, block, _known(task), contributions[task_id], wanted[task_id].asked_at)
            for task_id, task in zip(ids, tasks, strict=True)
        ]


def _known(task: ChainTask) -> ChainTask | None:
    return None if task.status is ChainTaskStatus.UNSET else task


class Weights:
    """Carries out `ReadWeight`: thousands of workers come back at the same moment, so requests gather first.

    A wallet with less than `lowest_balance` (wei) cannot pay for its contribution: its weight counts as 0, which
    means no work, until a later read finds it funded.
    """

    def __init__(
        self, hub: TaskStateSource, answer: Callable[[WeightsRead], None], *, lowest_balance: int = 0
    ) -> None:
        self._hub = hub
        self._answer = answer
        self._lowest_balance = lowest_balance
        self._poor: set[str] = set()
        self._waiting: dict[str, None] = {}
        self._something = asyncio.Event()

    def request(self, wanted: ReadWeight) -> None:
        """Queue a read."""
        self._waiting[wanted.wallet] = None
        self._something.set()

    async def run(self) -> None:
        """Answer requests, for ever; while the node is down they wait."""
        while True:
            await self._something.wait()
            await asyncio.sleep(_GATHER_S)
            self._something.clear()
            while wallets := list(self._waiting)[:_MOST_AT_ONCE]:
                try:
                    weights = await self._weigh(wallets)
                except PocoError as error:
                    log.warning("chain.read_failed", wallets=len(wallets), error=str(error))
                    await asyncio.sleep(_RETRY_LAST_S)
                    continue
                for wallet in wallets:
                    del self._waiting[wallet]
                self._answer(WeightsRead(tuple(zip(wallets, weights, strict=True))))

    async def _weigh(self, wallets: list[str]) -> list[int]:
        weights = [weight_from_score(score) for score in await self._hub.view_scores(wallets)]
        if not self._lowest_balance:
            return weights
        balances = await self._hub.balances(wallets)
        for place, (wallet, balance) in enumerate(zip(wallets, balances, strict=True)):
            if balance >= self._lowest_balance:
                self._poor.discard(wallet)
                continue
            weights[place] = 0
            if wallet not in self._poor:
                self._poor.add(wallet)
                log.warning(
                    "worker.without_gas", wallet=wallet, balance_wei=balance, needs_wei=self._lowest_balance
                )
        return weights
