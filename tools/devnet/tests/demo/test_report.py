import io
from pathlib import Path

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.table import Table
from workerpool_devnet.demo.follow import ChainRecord
from workerpool_devnet.demo.purchases import BoughtTask
from workerpool_devnet.demo.report import Outcome, results_table, stages, times_table
from workerpool_devnet.demo.results import OpenedResult
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.core.v1 import statuses_pb2 as statuses
from workerpool_protocol.core.v1.task_pb2 import Replicate, Task, TaskStatusChange

WALK = (
    (statuses.TASK_STATUS_RECEIVED, 100.0),
    (statuses.TASK_STATUS_INITIALIZED, 100.5),
    (statuses.TASK_STATUS_RUNNING, 100.75),
    (statuses.TASK_STATUS_CONSENSUS_REACHED, 112.5),
    (statuses.TASK_STATUS_AT_LEAST_ONE_REVEALED, 112.75),
    (statuses.TASK_STATUS_RESULT_UPLOADED, 114.0),
    (statuses.TASK_STATUS_COMPLETED, 116.5),
)

TASK = TaskId("0x" + "cd" * 32)


def outcome(*, digest_matches: bool = True, steps: int = len(WALK)) -> Outcome:
    """Return a task of three workers; the scheduler read it 0.25 s after the match of its orders."""
    dates = [(status, Timestamp(seconds=int(at), nanos=int(at % 1 * 1e9))) for status, at in WALK[:steps]]
    task = Task(
        history=[TaskStatusChange(status=status, date=date) for status, date in dates],
        replicates=[Replicate(wallet_address=f"0x{number}" + "ab" * 19) for number in (30, 10, 20)],
    )
    on_chain = ChainTask(
        TASK, ChainTaskStatus.COMPLETED, DealId(TASK), *(0,) * 5, b"", 0, 0, (), b"", b"", 0, b""
    )
    result = OpenedResult(Path("result"), (), "0x", matches=digest_matches)
    bought = BoughtTask(TASK, "trust 5", 5, 1, matched_at=99.75)
    return Outcome(bought, task, ChainRecord(on_chain, ()), 10.25, result)


def shown(table: Table) -> str:
    """Return a table as an 80-column terminal shows it."""
    console = Console(file=io.StringIO(), width=80)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_every_figure_fits_into_80_columns() -> None:
    text = shown(times_table([outcome()]))
    assert "…" not in text
    figures = [cell.strip() for cell in text.splitlines()[4].split("│")[1:-1]]
    assert figures == ["trust 5", "0.50", "12.00", "0.25", "1.25", "2.50", "10.25", "16.75"]


def test_workers_and_verdict_fit_into_80_columns() -> None:
    text = shown(results_table([outcome()]))
    assert "…" not in text
    assert all(part in text for part in ("0xcdcdcdcdcd", "0x10abab", "0x20abab", "0x30abab"))
    assert "✓ digest as on chain" in text
    assert "digest differs from the chain" in shown(results_table([outcome(digest_matches=False)]))


def test_an_unfinished_stage_has_no_figure() -> None:
    assert list(stages(outcome(steps=3).task)) == ["init"]
