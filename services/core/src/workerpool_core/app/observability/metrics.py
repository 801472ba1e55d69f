"""Core's Prometheus metrics: the documented ones under their documented names, and durations as histograms."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from prometheus_client import Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import FINAL_TASK_STATUSES, ReplicateStatus, TaskStatus

from workerpool_core.app.observability import failure_metrics
from workerpool_core.app.observability.worker_series import WorkerTally
from workerpool_core.app.queries.pool_view import PoolSummary
from workerpool_core.domain.decisions import (
    DealRemoved,
    Outcome,
    ReplicateChanged,
    ReplicateCreated,
    TaskChanged,
    TaskCreated,
)
from workerpool_core.domain.events import Event
from workerpool_core.domain.model import ReplicateChange, Task

_SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LONG = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 36000)

DEAL_TO_TASK = Histogram(
    "workerpool_core_deal_to_task_seconds", "From the deal's block to its first stored task.", buckets=_SHORT
)
UNREACHED = Counter(
    "workerpool_core_tasks_unreached",
    "Tasks that were never created, because no worker could serve them before the contribution deadline.",
)
QUEUE_WAIT = Histogram(
    "workerpool_core_queue_wait_seconds", "From a task being ready to its first replicate.", buckets=_LONG
)
DISPATCH = Histogram(
    "workerpool_core_dispatch_seconds",
    "From a replicate's creation to its assignment being sent.",
    buckets=_SHORT,
)
STAGE = Histogram(
    "workerpool_core_replicate_stage_seconds",
    "Time from a replicate's previous status to the labelled one.",
    ["status"],
    buckets=_LONG,
)
_STAGES = {status: STAGE.labels(status.value) for status in ReplicateStatus}
"""The histogram of each status, so that the hot path looks up no label."""
DEAL_TO_FINAL = Histogram(
    "workerpool_core_deal_to_final_seconds", "From the deal to the task's end.", ["status"], buckets=_LONG
)
# Prometheus sees no increase in a series that starts at 1.
for _final in FINAL_TASK_STATUSES:
    DEAL_TO_FINAL.labels(_final.value)


class Observer:
    """The observer that measures each event with its outcome."""

    def __init__(
        self,
        tasks: Mapping[TaskId, Task],
        *,
        task_ended: Callable[[TaskStatus], None],
        deal_taken: Callable[[], None],
        tally: WorkerTally | None = None,
    ) -> None:
        self._tasks = tasks
        self._tally = tally or WorkerTally()
        self._task_ended = task_ended
        self._deal_taken = deal_taken
        self._created: dict[tuple[str, str], float] = {}

    def observe(self, event: Event, outcome: Outcome, now: float) -> None:
        """Measure the changes of one outcome."""
        for write in outcome.writes:
            match write:
                case ReplicateChanged(task_id, wallet, _, changes, _):
                    self._created.pop((task_id, wallet), None)
                    self._observe_stages(task_id, wallet, changes)
                    self._observe_end(task_id, wallet, changes)
                case TaskChanged(task_id, _, changes, _) if (
                    changes and changes[-1].status in FINAL_TASK_STATUSES
                ):
                    self._task_ended(changes[-1].status)
                    if (task := self._tasks.get(task_id)) is not None:
                        for wallet in task.replicates:
                            self._created.pop((task_id, wallet), None)
                        DEAL_TO_FINAL.labels(changes[-1].status.value).observe(
                            max(now - task.terms.start_time, 0)
                        )
                        failure_metrics.task_ended(task, changes[-1].status)
                case ReplicateCreated(replicate):
                    self._created[(replicate.task_id, replicate.wallet)] = now
                    self._observe_queue(replicate.task_id, replicate.wallet, now)
                case TaskCreated(task):
                    # Further tasks of a deal are created when workers can serve them.
                    if task.index == task.terms.bot_first:
                        DEAL_TO_TASK.observe(max(now - task.terms.start_time, 0))
                        self._deal_taken()
                case DealRemoved(_, unreached) if unreached:
                    UNREACHED.inc(unreached)
                case _:
                    pass

    def assigned(self, task_id: TaskId, wallet: str, now: float) -> None:
        """Measure that an assignment was sent."""
        created = self._created.pop((task_id, wallet), None)
        if created is not None:
            DISPATCH.observe(max(now - created, 0))

    def _observe_end(self, task_id: TaskId, wallet: str, changes: Sequence[ReplicateChange]) -> None:
        """Count a replicate that completed or failed."""
        task = self._tasks.get(task_id)
        replicate = task.replicates.get(wallet) if task is not None else None
        if task is None or replicate is None:
            return
        if failure_metrics.replicate_failed(task, replicate, changes):
            self._tally.failed[wallet] += 1
        if changes and changes[-1].status is ReplicateStatus.COMPLETED:
            self._tally.completed[wallet] += 1

    def _observe_queue(self, task_id: TaskId, wallet: str, now: float) -> None:
        task = self._tasks.get(task_id)
        # Only the first replicate counts; others may have been created at the same moment.
        if task is None or next(iter(task.replicates), None) != wallet:
            return
        ready = next((c.date for c in reversed(task.history) if c.status is TaskStatus.INITIALIZED), now)
        QUEUE_WAIT.observe(max(now - ready, 0))

    def _observe_stages(self, task_id: TaskId, wallet: str, changes: Sequence[ReplicateChange]) -> None:
        task = self._tasks.get(task_id)
        replicate = task.replicates.get(wallet) if task is not None else None
        if replicate is None or not changes:
            return
        history = replicate.history
        # The replicate may have changed since, or its task may have been evicted and reloaded as a copy.
        end = next((place for place in range(len(history), 0, -1) if history[place - 1] is changes[-1]), 0)
        for earlier, later in pairwise(history[max(end - len(changes) - 1, 0) : end]):
            _STAGES[later.status].observe(max(later.date - earlier.date, 0))


class PoolCollector(Collector):
    """The documented gauges, computed on each scrape."""

    def __init__(self, summary: Callable[[], PoolSummary], version: str) -> None:
        self._summary = summary
        self._version = version

    def collect(self) -> Iterator[Metric]:
        """Yield the current value of every gauge."""
        now = self._summary()
        tasks = GaugeMetricFamily(
            "iexec_core_tasks_count", "Tasks in each status.", labels=["period", "status"]
        )
        for status, count in now.tasks_by_status.items():
            tasks.add_metric(["current", status.value], count)
        yield tasks
        gauges = {
            "iexec_core_workers": ("Workers that sent a message within the last 60 s.", now.alive_workers),
            "iexec_core_cpu_registered": ("CPUs that alive workers registered.", now.registered_cpus),
            "iexec_core_cpu_computing": ("CPUs of alive workers that are computing.", now.computing_cpus),
            "iexec_core_gpu_registered": ("GPUs that alive workers registered.", now.registered_gpus),
            "iexec_core_gpu_computing": ("GPUs of alive workers that are computing.", now.computing_gpus),
            "iexec_chain_block_latest": (
                "Newest block seen.",
                now.latest_block.number if now.latest_block is not None else 0,
            ),
            "workerpool_core_tasks_queued": (
                "Tasks of known deals that are created when workers can serve them.",
                now.queued_tasks,
            ),
            "workerpool_core_queue_oldest_seconds": (
                "Age of the oldest task that is ready and has no worker, 0 without one.",
                now.queue_oldest_s,
            ),
            "workerpool_core_cursor_block": ("Block up to which every effect is stored.", now.cursor_block),
        }
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(name, text, value=value)
        if now.latest_block is not None:
            yield GaugeMetricFamily(
                "workerpool_core_head_timestamp_seconds",
                "Time of the newest block seen, by the chain.",
                value=now.latest_block.timestamp,
            )
        # Counters by their documented names, to which Prometheus adds `_total`.
        counters = {
            "iexec_core_deals_events": ("Deal notices of this pool since the start.", now.deal_events),
            "iexec_core_deals": ("Deals of this pool that became tasks since the start.", now.deals),
            "iexec_core_deals_replay": ("Always 0: missed deals are read in order with the others.", 0),
            "iexec_core_deals_last_block": ("Newest block with a deal of this pool.", now.latest_deal_block),
        }
        for name, (text, value) in counters.items():
            yield CounterMetricFamily(name, text, value=value)
        pool = GaugeMetricFamily(
            "workerpool_core_pool_info", "Always 1; the label names the pool.", labels=["workerpool"]
        )
        pool.add_metric([now.pool], 1)
        yield pool
        info = GaugeMetricFamily(
            "iexec_version_info", "Always 1.", labels=["iexecAppName", "iexecAppVersion"]
        )
        info.add_metric(["workerpool-core", self._version], 1)
        yield info
