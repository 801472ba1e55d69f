"""A summary of the pool from memory: workers, used slots, tasks by status, chain."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from workerpool_kit.clock import Clock
from workerpool_poco.protocol.ids import Address, TaskId, address
from workerpool_poco.protocol.model import Block
from workerpool_poco.protocol.statuses import FINAL_TASK_STATUSES, TaskStatus

from workerpool_core.app.chain.chain_follower import ChainFollower
from workerpool_core.app.engine.engine import Engine
from workerpool_core.app.ports import HeadSource
from workerpool_core.domain.model import Worker
from workerpool_core.errors import UnknownWorker

ALIVE_S = 60.0
SUMMARY_TTL_S = 1.0
"""Seconds for which a summary is cached. Computing one visits every worker and live task, about 15 ms in a pool of
thousands, and every caller may request it: fifty uncached requests per second would occupy the scheduler."""


@dataclass(frozen=True, slots=True)
class PoolSummary:
    """The documented platform metric."""

    pool: Address
    alive_workers: int
    registered_cpus: int
    computing_cpus: int
    registered_gpus: int
    computing_gpus: int
    tasks_by_status: Mapping[TaskStatus, int]
    latest_block: Block | None
    cursor_block: int
    deal_events: int
    deals: int
    latest_deal_block: int


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker with the tasks of its unfinished replicates."""

    worker: Worker
    connected: bool
    computing: int
    task_ids: tuple[TaskId, ...]


class PoolView:
    """Answers queries about the pool. `ended` counts the tasks by final status when core started."""

    def __init__(
        self,
        engine: Engine,
        follower: ChainFollower,
        heads: HeadSource,
        clock: Clock,
        pool: Address,
        ended: Mapping[TaskStatus, int],
    ) -> None:
        self._engine = engine
        self._follower = follower
        self._heads = heads
        self._clock = clock
        self._pool = pool
        self._ended = Counter({status: ended.get(status, 0) for status in FINAL_TASK_STATUSES})
        self.deals_taken = 0
        self._summary: PoolSummary | None = None
        self._summary_made_at = 0.0

    def task_ended(self, status: TaskStatus) -> None:
        """Count an ended task."""
        self._ended[status] += 1

    def deal_taken(self) -> None:
        """Count a deal whose tasks were created."""
        self.deals_taken += 1

    def is_alive(self, worker: Worker) -> bool:
        """Whether the worker sent a message within the last 60 s."""
        return self._clock.now() - worker.last_seen < ALIVE_S

    def summary(self) -> PoolSummary:
        """Return a summary that is at most one second old."""
        now = self._clock.now()
        if self._summary is None or not 0 <= now - self._summary_made_at < SUMMARY_TTL_S:
            self._summary, self._summary_made_at = self._summarise(), now
        return self._summary

    def _summarise(self) -> PoolSummary:
        live = [entry for entry in self._engine.workers.values() if self.is_alive(entry.worker)]
        alive = {entry.worker.wallet: entry.worker for entry in live}
        computing = {entry.worker.wallet: len(entry.computing) for entry in live}
        statuses: Counter[TaskStatus] = Counter(self._ended)
        statuses.update(task.status for task in self._engine.tasks.values() if not task.ended)
        with_gpu = {wallet for wallet, worker in alive.items() if worker.model.gpus}
        plain = alive.keys() - with_gpu
        return PoolSummary(
            pool=self._pool,
            alive_workers=len(alive),
            registered_cpus=sum(alive[wallet].model.slots for wallet in plain),
            computing_cpus=sum(computing[wallet] for wallet in plain),
            registered_gpus=len(with_gpu),
            computing_gpus=sum(computing[wallet] > 0 for wallet in with_gpu),
            tasks_by_status={status: statuses[status] for status in TaskStatus},
            latest_block=self._heads.latest,
            cursor_block=max(self._follower.position.number, 0),
            deal_events=self._follower.deals_seen,
            deals=self.deals_taken,
            latest_deal_block=self._follower.latest_deal_block,
        )

    def worker(self, wallet: str) -> WorkerView:
        """Return one worker. Raises UnknownWorker."""
        wallet = address(wallet)
        if wallet not in self._engine.workers:
            raise UnknownWorker(f"no worker with wallet {wallet} has registered; check the address")
        return self._view(wallet)

    def workers(self, after: str, limit: int, *, alive_only: bool) -> list[WorkerView]:
        """Return up to `limit` workers ordered by wallet, after the wallet `after`."""
        wallets = sorted(
            wallet
            for wallet, live in self._engine.workers.items()
            if wallet > after and (not alive_only or self.is_alive(live.worker))
        )
        return [self._view(wallet) for wallet in wallets[:limit]]

    def _view(self, wallet: str) -> WorkerView:
        live = self._engine.workers[wallet]
        connected = live.session is not None
        return WorkerView(live.worker, connected, len(live.computing), tuple(sorted(live.held)))
