"""The tables of the demo: one while tasks run, and two at the end, of times and of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table
from workerpool_protocol.core.v1 import task_pb2
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatus, TaskStatus

from workerpool_devnet.demo.follow import ChainRecord, Progress
from workerpool_devnet.demo.purchases import BoughtTask
from workerpool_devnet.demo.results import OpenedResult

_TASK_STAGES = (
    ("init", "INITIALIZED"),
    ("consensus", "CONSENSUS_REACHED"),
    ("reveal", "AT_LEAST_ONE_REVEALED"),
    ("upload", "RESULT_UPLOADED"),
    ("finalize", "COMPLETED"),
)
"""Stage → the task status that ends it. The consensus stage includes assignment, download, run and contribution."""


@dataclass(frozen=True)
class Outcome:
    """The final record of one task."""

    bought: BoughtTask
    task: task_pb2.Task
    record: ChainRecord
    container_seconds: float
    result: OpenedResult | None

    @property
    def succeeded(self) -> bool:
        """Whether the task is COMPLETED on chain and the downloaded result has the digest on chain."""
        return self.record.completed and self.result is not None and self.result.matches

    @property
    def overhead_seconds(self) -> float:
        """Seconds from the match to COMPLETED, without the run time of the container."""
        return (
            self.task.history[-1].date.ToMicroseconds() / 1e6
            - self.bought.matched_at
            - self.container_seconds
        )

    def overhead_blocks(self, block_time: float) -> int:
        """Return the blocks from the match to the finalization, without the run time of the container."""
        return self.record.final_block - self.bought.deal_block - int(self.container_seconds // block_time)


def stages(task: task_pb2.Task) -> dict[str, float]:
    """Return the seconds in each finished stage of a task, by the clock of the scheduler."""
    durations: dict[str, float] = {}
    previous = _seconds(task.history[0]) if task.history else 0.0
    for stage, status in _TASK_STAGES:
        ended = next((_seconds(c) for c in task.history if _name(c.status) == status), None)
        if ended is None:
            break
        durations[stage] = ended - previous
        previous = ended
    return durations


def live_table(bought: Sequence[BoughtTask], progress: Progress) -> Table:
    """Return the table to show while the tasks run."""
    table = Table(title="tasks", title_justify="left", expand=False)
    for column in ("task", "bag", "status"):
        table.add_column(column, no_wrap=True)
    table.add_column("replicates")
    for item in bought:
        task = progress.tasks.get(item.task_id)
        status = _name(task.status) if task else "not read by the scheduler yet"
        table.add_row(item.task_id[:12], item.label, status, _replicates(task))
    return table


def times_table(outcomes: Sequence[Outcome]) -> Table:
    """Return the table of times, for a terminal of 80 columns."""
    title = "seconds in each stage (total: match of the orders to COMPLETED)"
    table = Table(title=title, title_justify="left", expand=False)
    table.add_column("task", no_wrap=True)
    for column in (*(stage for stage, _ in _TASK_STAGES), "app ran", "total"):
        table.add_column(column, justify="right", no_wrap=True)
    for outcome in outcomes:
        spent = stages(outcome.task)
        table.add_row(
            outcome.bought.label,
            *(f"{spent[stage]:.2f}" if stage in spent else "–" for stage, _ in _TASK_STAGES),
            f"{outcome.container_seconds:.2f}",
            f"{outcome.overhead_seconds + outcome.container_seconds:.2f}",
        )
    return table


def results_table(outcomes: Sequence[Outcome]) -> Table:
    """Return the table of results: the workers, the transactions and the digest of each task."""
    table = Table(title="results", title_justify="left", expand=False)
    for column in ("task", "bag"):
        table.add_column(column, no_wrap=True)
    for column in ("workers", "transactions"):
        table.add_column(column)
    table.add_column("result", no_wrap=True)
    for outcome in outcomes:
        table.add_row(
            outcome.bought.task_id[:12],
            outcome.bought.label,
            ", ".join(sorted(r.wallet_address[:8] for r in outcome.task.replicates)),
            outcome.record.counts(),
            _verdict(outcome),
        )
    return table


def _verdict(outcome: Outcome) -> str:
    if not outcome.record.completed:
        return f"[red]{outcome.record.task.status.name} on chain"
    if outcome.result is None:
        return "[red]no archive"
    return "[green]✓ digest as on chain" if outcome.result.matches else "[red]digest differs from the chain"


def _replicates(task: task_pb2.Task | None) -> str:
    if task is None:
        return ""
    return ", ".join(
        f"{r.wallet_address[:6]} {ReplicateStatus.Name(r.status).removeprefix('REPLICATE_STATUS_')}"
        for r in task.replicates
    )


def _name(status: TaskStatus.ValueType) -> str:
    return TaskStatus.Name(status).removeprefix("TASK_STATUS_")


def _seconds(change: task_pb2.TaskStatusChange) -> float:
    return change.date.ToMicroseconds() / 1e6
