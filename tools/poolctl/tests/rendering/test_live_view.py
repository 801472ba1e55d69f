"""The screen of top."""

from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from poolctl.adapters.plain import plain
from poolctl.rendering.live_view import live_view, outage_view
from workerpool_protocol.core.v1 import pool_service_pb2 as pool
from workerpool_protocol.core.v1 import statuses_pb2 as statuses
from workerpool_protocol.core.v1 import task_pb2 as tasks

from .shown import shown

NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def document(workers: int, live: int) -> dict[str, Any]:
    status = pool.GetPoolStatusResponse(
        alive_workers=workers,
        tasks_by_status={"RUNNING": live, "COMPLETED": 5, "FAILED": 1},
        latest_block=9,
        cursor_block=9,
    )
    return {
        "pool": plain(status),
        "workers": [
            plain(pool.Worker(name=f"worker-{number}", slots=2, used_slots=number % 3, connected=True))
            for number in range(workers)
        ],
        "tasks": [
            plain(
                tasks.Task(
                    task_id=f"0x{number:064x}",
                    status=statuses.TASK_STATUS_RUNNING,
                    history=[tasks.TaskStatusChange(date=Timestamp(seconds=int(NOW) - 7))],
                )
            )
            for number in range(live)
        ],
    }


def test_the_screen_shows_pool_workers_and_tasks() -> None:
    text = shown(live_view(document(3, 2), NOW, None))
    for part in (
        "3 workers",
        "2 tasks live",
        "5 completed",
        "1 failed",
        "block 9, 0 unread",
        "worker-2",
        "RUNNING",
        "7 s",
    ):
        assert part in text


def test_a_small_screen_shows_the_busiest_workers_and_counts_the_others() -> None:
    lines = shown(live_view(document(30, 40), NOW, 24)).splitlines()
    assert len(lines) <= 24
    assert any("and 22 more workers" in line for line in lines)
    assert any("and 32 more tasks" in line for line in lines)


def test_an_outage_says_what_to_do() -> None:
    text = shown(outage_view("core does not answer", "start it"))
    assert text.splitlines() == ["core does not answer", "start it"]
