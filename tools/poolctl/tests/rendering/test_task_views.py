"""Tasks, timelines and explanations as tables."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from poolctl.adapters.plain import plain
from poolctl.domain.explanations import Explanation
from poolctl.domain.timeline import timeline
from poolctl.rendering.task_views import explanation_view, log_text, task_view, tasks_view, timeline_table
from workerpool_protocol.core.v1 import statuses_pb2 as statuses
from workerpool_protocol.core.v1 import task_pb2 as pb

from .shown import shown

NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
TASK, WORKER = "0x" + "ab" * 32, "0x" + "cd" * 20


def at(seconds: float) -> Timestamp:
    return Timestamp(seconds=int(NOW + seconds))


TASK_DOCUMENT = plain(
    pb.Task(
        task_id=TASK,
        deal_id="0xd",
        status=statuses.TASK_STATUS_FAILED,
        app_uri="docker.io/app:1",
        final_deadline=at(90),
        waiting_reason="no worker is connected",
        history=[
            pb.TaskStatusChange(status=statuses.TASK_STATUS_RECEIVED, date=at(-60)),
            pb.TaskStatusChange(
                status=statuses.TASK_STATUS_INITIALIZED,
                date=at(-50),
                chain_receipt=pb.ChainReceipt(block_number=42, transaction_hash="0x" + "ef" * 32),
            ),
        ],
        replicates=[
            pb.Replicate(
                wallet_address=WORKER,
                status=statuses.REPLICATE_STATUS_COMPUTE_FAILED,
                exit_code=3,
                logs_present=True,
                history=[
                    pb.ReplicateStatusChange(
                        status=statuses.REPLICATE_STATUS_COMPUTE_FAILED,
                        date=at(-20),
                        cause=statuses.REPLICATE_STATUS_CAUSE_APP_COMPUTE_FAILED,
                        fault=statuses.FAULT_APP,
                        exit_code=3,
                        message="the app \x1b[31mfailed",
                    )
                ],
            )
        ],
    )
)


def test_tasks_are_one_a_line_with_why_they_wait() -> None:
    text = shown(tasks_view([TASK_DOCUMENT], NOW))
    for part in (TASK, "FAILED", "1 min 0 s", "docker.io/app:1", "no worker is connected", "1 task"):
        assert part in text


def test_an_empty_list_of_tasks_says_so() -> None:
    assert "no task matches" in shown(tasks_view([], NOW))


def test_a_task_shows_the_timeline_of_every_replicate() -> None:
    text = shown(task_view(TASK_DOCUMENT, NOW))
    for part in (
        "in 1 min 30 s",
        "23:59:00",
        "10.0 s",
        "42",
        "0xefefefef…",
        "APP_COMPUTE_FAILED",
        "app",
        "0xcdcdcdcd…",
    ):
        assert part in text
    assert f"worker {WORKER}: COMPUTE_FAILED, exit code 3, logs stored" in text
    assert "\x1b" not in text


def test_a_timeline_has_a_line_for_each_event() -> None:
    text = shown([timeline_table(timeline(TASK_DOCUMENT))])
    assert len(text.splitlines()) == 1 + 3


def test_an_explanation_begins_with_its_sentence() -> None:
    found = Explanation(
        "task",
        TASK,
        "INITIALIZED",
        "TRUST_TOO_HIGH",
        "pool",
        "the trust is too high",
        "start workers",
        {"slots": "2"},
    )
    lines = shown(explanation_view(found)).splitlines()
    assert lines[0] == "the trust is too high"
    assert any(line.split() == ["slots", "2"] for line in lines)
    assert any("next step" in line and "start workers" in line for line in lines)


def test_the_output_of_an_app_cannot_control_the_terminal() -> None:
    assert log_text(WORKER, "STDOUT", "a\x1b[2J\nb").plain == "--- 0xcdcdcdcd… stdout\na\\x1b[2J\nb"
