"""The histories of a task and its replicates in one order."""

from typing import Any

from poolctl.domain.timeline import TASK, stages, timeline

WORKER = "0x" + "aa" * 20


def entry(second: int, status: str, **more: Any) -> dict[str, Any]:
    return {"status": status, "date": f"2026-01-01T00:00:{second:02d}.000Z", **more}


TASK_DOCUMENT: dict[str, Any] = {
    "history": [
        entry(0, "RECEIVED"),
        entry(2, "INITIALIZED", chain_receipt={"block_number": 7, "transaction_hash": "0xf"}),
        entry(9, "FAILED"),
    ],
    "replicates": [
        {
            "wallet_address": WORKER,
            "history": [
                entry(3, "CREATED"),
                entry(
                    8,
                    "COMPUTE_FAILED",
                    cause="APP_COMPUTE_FAILED",
                    fault="APP",
                    exit_code=1,
                    message="it failed",
                ),
            ],
        }
    ],
}


def test_events_are_in_the_order_of_their_times() -> None:
    events = timeline(TASK_DOCUMENT)
    assert [(each.who, each.status, each.since_start_s) for each in events] == [
        (TASK, "RECEIVED", 0.0),
        (TASK, "INITIALIZED", 2.0),
        (WORKER, "CREATED", 3.0),
        (WORKER, "COMPUTE_FAILED", 8.0),
        (TASK, "FAILED", 9.0),
    ]


def test_an_event_carries_cause_side_exit_code_and_transaction() -> None:
    events = timeline(TASK_DOCUMENT)
    failed = events[3]
    assert (failed.cause, failed.fault, failed.exit_code, failed.message) == (
        "APP_COMPUTE_FAILED",
        "APP",
        1,
        "it failed",
    )
    assert (events[1].block, events[1].transaction) == (7, "0xf")
    assert events[0].exit_code is None


def test_events_of_one_moment_keep_their_order() -> None:
    task = {
        "history": [entry(1, "A"), entry(1, "B")],
        "replicates": [{"wallet_address": "w", "history": [entry(1, "C")]}],
    }
    assert [each.status for each in timeline(task)] == ["A", "B", "C"]


def test_a_task_without_history_has_no_events() -> None:
    assert timeline({}) == []


def test_stages_contain_the_time_in_each_status() -> None:
    assert list(stages(TASK_DOCUMENT)) == [("RECEIVED", 2.0), ("INITIALIZED", 7.0)]
