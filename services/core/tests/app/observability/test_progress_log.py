"""The log lines about tasks and replicates."""

from structlog.testing import capture_logs
from workerpool_core.app.observability.progress_log import log_progress
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.model import Modifier, ReplicateChange, TaskChange
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C
from workerpool_poco.protocol.statuses import TaskStatus as T

NOW = 1_700_000_000.5
TASK, OTHER = TaskId("0x" + "11" * 32), TaskId("0x" + "22" * 32)


def lines(outcome: d.Outcome, event: e.Event | None = None) -> list[dict[str, object]]:
    with capture_logs() as logged:
        log_progress(event or e.Tick(), outcome, NOW)
    return [{name: value for name, value in line.items() if name != "log_level"} for line in logged]


def test_one_event_that_moves_several_tasks_alike_is_one_line() -> None:
    changes = (TaskChange(T.INITIALIZING, NOW), TaskChange(T.INITIALIZED, NOW))
    outcome = d.Outcome([d.TaskChanged(task, T.RECEIVED, changes) for task in (TASK, OTHER)])
    (line,) = lines(outcome)
    assert line == {
        "event": "tasks.moved",
        "status": "INITIALIZED",
        "steps": ["INITIALIZING", "INITIALIZED"],
        "tasks": [TASK, OTHER],
    }


def test_a_failure_is_logged_with_its_workers_message() -> None:
    details = e.Details(cause=C.APP_COMPUTE_FAILED, error_message="exit code 3")
    report = e.StatusReported("0xA", "session", (e.Update(1, TASK, R.COMPUTE_FAILED, details),))
    failed = (ReplicateChange(R.COMPUTE_FAILED, NOW, Modifier.WORKER, C.APP_COMPUTE_FAILED),)
    outcome = d.Outcome([d.ReplicateChanged(TASK, wallet, R.COMPUTING, failed) for wallet in ("0xA", "0xB")])
    assert [(line["wallet"], line["cause"], line["error"]) for line in lines(outcome, report)] == [
        ("0xA", "APP_COMPUTE_FAILED", "exit code 3"),
        ("0xB", "APP_COMPUTE_FAILED", None),
    ]


def test_ordinary_steps_of_replicates_are_not_logged() -> None:
    started = (ReplicateChange(R.STARTED, NOW, Modifier.WORKER),)
    assert lines(d.Outcome([d.ReplicateChanged(TASK, "0xA", R.STARTING, started)])) == []
