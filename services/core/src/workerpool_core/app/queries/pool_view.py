"""A summary of the pool from memory: workers, used slots, tasks by status, chain."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from workerpool_kit.clock import Clock
from workerpool_poco.protocol.ids import Address, TaskId, address
from workerpool_poco.protocol.model import Block
from workerpool_poco.protocol.statuses import FINAL_TASK_STATUSES, TaskStatus

from workerpool_core.app.chain.chain_follower import ChainFollower
from workerpool_core.app.engine.engine import Engine
from workerpool_core.app.observability.worker_series import WorkerSample, WorkerTally
from workerpool_core.app.ports import HeadSource
from workerpool_core.domain.explainer import Explainer
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Worker
from workerpool_core.errors import UnknownWorker

ALIVE_S = 60.0
LISTED_S = 86_400.0
"""Seconds since its last message for which a worker is listed."""
SUMMARY_TTL_S = 1.0
"""Seconds for which a summary is cached.

Computing one visits every worker and live task, about 15 ms in a pool of thousands, and any caller may request it:
fifty uncached requests per second would saturate the scheduler.
"""


@dataclass(frozen=True, slots=True)
class PoolSummary:
    """The documented platform metric, with more for operators: connected workers, slots, problems."""

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
    queued_tasks: int = 0
    waiting_tasks: int = 0
    connected_workers: int = 0
    drained_workers: int = 0
    quarantined_workers: int = 0
    parked_workers: int = 0
    total_slots: int = 0
    used_slots: int = 0
    problems: tuple[Explanation, ...] = ()
    queue_oldest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker with the tasks of its unfinished replicates, and why it gets no further task."""

    worker: Worker
    connected: bool
    computing: int
    task_ids: tuple[TaskId, ...]
    parked_reason: str
    reason: Explanation | None = None


class PoolView:
    """Queries of the pool; `ended` counts the tasks by final status when core started."""

    def __init__(
        self,
        engine: Engine,
        follower: ChainFollower,
        heads: HeadSource,
        clock: Clock,
        pool: Address,
        ended: Mapping[TaskStatus, int],
        explain: Callable[[], Explainer] | None = None,
    ) -> None:
        """Create the view; `explain` returns the current reasons, by default those of the scheduler alone."""
        self._explain = explain or engine.explain
        self._engine = engine
        self._follower = follower
        self._heads = heads
        self._clock = clock
        self._pool = pool
        self._ended = Counter({status: ended.get(status, 0) for status in FINAL_TASK_STATUSES})
        self.deals_taken = 0
        self.tally = WorkerTally()
        self._summary: PoolSummary | None = None
        self._summary_made_at = 0.0

    def task_ended(self, status: TaskStatus) -> None:
        """Count an ended task."""
        self._ended[status] += 1

    def deal_taken(self) -> None:
        """Count a deal whose tasks were created."""
        self.deals_taken += 1

    def is_alive(self, worker: Worker) -> bool:
        """Return whether the worker sent a message within the last 60 s."""
        return self._clock.now() - worker.last_seen < ALIVE_S

    def summary(self) -> PoolSummary:
        """Return a summary that is at most one second old."""
        now = self._clock.now()
        if self._summary is None or not 0 <= now - self._summary_made_at < SUMMARY_TTL_S:
            self._summary, self._summary_made_at = self._summarise(), now
        return self._summary

    def _summarise(self) -> PoolSummary:
        now = self._clock.now()
        connected = [entry for entry in self._engine.workers.values() if entry.session is not None]
        live = [entry for entry in self._engine.workers.values() if self.is_alive(entry.worker)]
        alive = {entry.worker.wallet: entry.worker for entry in live}
        computing = {entry.worker.wallet: len(entry.computing) for entry in live}
        statuses: Counter[TaskStatus] = Counter(self._ended)
        statuses.update(task.status for task in self._engine.tasks.values() if not task.ended)
        with_gpu = {wallet for wallet, worker in alive.items() if worker.model.gpus}
        plain = alive.keys() - with_gpu
        ready = (
            t.history[-1].date for t in self._engine.tasks.values() if t.status is TaskStatus.INITIALIZED
        )
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
            queued_tasks=self._engine.queued_tasks,
            waiting_tasks=self._engine.waiting_tasks,
            connected_workers=len(connected),
            drained_workers=sum(entry.worker.drained_until > now for entry in connected),
            quarantined_workers=sum(entry.worker.quarantine_end > now for entry in connected),
            parked_workers=sum(bool(entry.parked_reason) for entry in connected),
            total_slots=sum(entry.counted_slots for entry in connected),
            used_slots=sum(len(entry.computing) for entry in connected),
            problems=tuple(self._explain().pool()),
            queue_oldest_s=max(now - min(ready, default=now), 0.0),
        )

    def worker_samples(self) -> list[WorkerSample]:
        """Return the metrics of each worker that sent a message within the last day."""
        now = self._clock.now()
        return [
            self._sample(live, now)
            for live in self._engine.workers.values()
            if now - live.worker.last_seen < LISTED_S
        ]

    def _sample(self, live: LiveWorker, now: float) -> WorkerSample:
        worker, model, wallet = live.worker, live.worker.model, live.worker.wallet
        return WorkerSample(
            wallet=wallet,
            name=model.name,
            version=model.version,
            os=model.os,
            cpu=model.cpu,
            state=_state(live, now),
            slots=model.slots,
            busy_slots=len(live.computing),
            seen=worker.last_seen,
            completed=self.tally.completed[wallet],
            failed=self.tally.failed[wallet],
        )

    def worker(self, wallet: str) -> WorkerView:
        """Return one worker. Raises UnknownWorker."""
        wallet = address(wallet)
        if wallet not in self._engine.workers:
            raise UnknownWorker(f"no worker with wallet {wallet} has registered; check the address")
        return self._view(wallet, self._explain().worker(wallet))

    def workers(
        self,
        after: str,
        limit: int,
        *,
        alive_only: bool,
        codes: Collection[ReasonCode] = (),
        text: str = "",
    ) -> list[WorkerView]:
        """Return up to `limit` workers ordered by wallet, after the wallet `after`.

        With `codes`, only those that get no work now for one of these reasons. With `text`, only those whose name
        contains it or whose wallet starts with it, in any letter case.
        """
        explainer, sought = self._explain(), text.lower()
        found: list[WorkerView] = []
        for wallet in sorted(wallet for wallet in self._engine.workers if wallet > after):
            if len(found) == limit:
                break
            worker = self._engine.workers[wallet].worker
            if alive_only and not self.is_alive(worker):
                continue
            if not (sought in worker.model.name.lower() or wallet.lower().startswith(sought)):
                continue
            reason = explainer.worker(wallet)
            if not codes or (reason is not None and reason.code in codes):
                found.append(self._view(wallet, reason))
        return found

    def explain_worker(self, wallet: str) -> tuple[Explanation, bool]:
        """Return why a worker gets no further task now, and whether it has ever registered.

        Raises UnknownWorker for a wallet that neither registered nor was refused recently.
        """
        wallet = address(wallet)
        reason = self._explain().worker(wallet)
        if reason is None:
            raise UnknownWorker(
                f"no worker with wallet {wallet} has registered or was refused recently; check the address, and that "
                "the worker runs and is configured for this core"
            )
        return reason, wallet in self._engine.workers

    def _view(self, wallet: str, reason: Explanation | None) -> WorkerView:
        live = self._engine.workers[wallet]
        connected = live.session is not None
        return WorkerView(
            live.worker, connected, len(live.computing), tuple(sorted(live.held)), live.parked_reason, reason
        )


def _state(live: LiveWorker, now: float) -> str:
    """Return in one word whether a worker can take work."""
    if live.session is None:
        return "disconnected"
    if live.worker.quarantine_end > now:
        return "quarantined"
    if live.worker.drained_until > now:
        return "drained"
    if live.parked_reason:
        return "parked"
    return "busy" if live.computing else "idle"
