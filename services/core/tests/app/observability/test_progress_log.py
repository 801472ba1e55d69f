"""What operators read of tasks and replicates."""

from structlog.testing import capture_logs
from workerpool_core.app.observability.progress_log import log_progress
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.model import Modifier, ReplicateChange, TaskChange
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C
from workerpool_poco.protocol.statuses import TaskStatus as T

NOW = 1_700_000_000.5
TASK, OTHER = "0x" + "11" * 32, "0x" + "22" * 32


def lines(outcome: d.Outcome, event: e.Event | None = None) -> list[dict[str, object]]:
    with capture_logs() as logged:
        log_progress(event or e.Tick(), outcome, NOW)
    return [{name: value for name, value in line.items() if name != "log_level"} for line in logged]


def test_what_one_event_did_to_several_tasks_alike_is_one_line() -> None:
    changes = (TaskChange(T.INITIALIZING, NOW), TaskChange(T.INITIALIZED, NOW))
    outcome = d.Outcome([d.TaskChanged(task, T.RECEIVED, changes) for task in (TASK, OTHER)])
    (line,) = lines(outcome)
    assert line == {
        "event": "tasks.moved",
        "status": "INITIALIZED",
        "steps": ["INITIALIZING", "INITIALIZED"],
        "tasks": [TASK, OTHER],
    }


def test_a_mishap_is_told_with_what_its_worker_says_of_it() -> None:
    details = e.Details(cause=C.APP_COMPUTE_FAILED, error_message="exit code 3")
    report = e.StatusReported("0xA", "session", (e.Update(1, TASK, R.COMPUTE_FAILED, details),))
    failed = (ReplicateChange(R.COMPUTE_FAILED, NOW, Modifier.WORKER, C.APP_COMPUTE_FAILED),)
    outcome = d.Outcome([d.ReplicateChanged(TASK, wallet, R.COMPUTING, failed) for wallet in ("0xA", "0xB")])
    assert [(line["wallet"], line["cause"], line["error"]) for line in lines(outcome, report)] == [
        ("0xA", "APP_COMPUTE_FAILED", "exit code 3"),
        ("0xB", "APP_COMPUTE_FAILED", None),
    ]


def test_the_steps_of_the_work_itself_are_not_told() -> None:
    started = (ReplicateChange(R.STARTED, NOW, Modifier.WORKER),)
    assert lines(d.Outcome([d.ReplicateChanged(TASK, "0xA", R.STARTING, started)])) == []
