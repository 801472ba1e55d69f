"""Why a task or a worker is where it is: core's record first, what an older core tells otherwise."""

from typing import Any

from poolctl.domain.explanations import explain_task, explain_unregistered, explain_worker

REASON = {
    "code": "TRUST_TOO_HIGH",
    "fault": "POOL",
    "sentence": "all workers together cannot reach the trust of 9",
    "evidence": [{"key": "workers_connected", "value": "2"}],
    "next_step": "start more workers",
    "cause": "",
    "until": "2026-01-01T00:00:00.000Z",
}


def test_the_record_of_core_is_the_answer() -> None:
    found = explain_task(
        {"task_id": "0x1", "status": "INITIALIZED", "reason": REASON, "waiting_reason": "older words"}
    )
    assert (found.code, found.side, found.sentence) == ("TRUST_TOO_HIGH", "pool", REASON["sentence"])
    assert found.evidence == {"workers_connected": "2"}
    assert (found.next_step, found.until) == ("start more workers", REASON["until"])


def test_fields_of_an_older_core_explain_why_a_task_waits() -> None:
    task: dict[str, Any] = {
        "task_id": "0x1",
        "status": "INITIALIZED",
        "waiting_reason": "no worker is connected",
        "history": [],
    }
    found = explain_task(task)
    assert (found.sentence, found.state) == ("no worker is connected", "INITIALIZED")


def test_the_newest_blamed_entry_of_an_older_core_explains_a_failure() -> None:
    blamed = {
        "status": "COMPUTE_FAILED",
        "date": "2026-01-01T00:00:02Z",
        "cause": "APP_COMPUTE_FAILED",
        "fault": "APP",
        "message": "exit code 3",
        "next_step": "correct the app",
    }
    task = {
        "task_id": "0x1",
        "status": "FAILED",
        "history": [{"status": "FAILED", "date": "2026-01-01T00:00:03Z"}],
        "replicates": [{"history": [blamed]}],
    }
    found = explain_task(task)
    assert (found.code, found.side, found.sentence, found.next_step) == (
        "APP_COMPUTE_FAILED",
        "app",
        "exit code 3",
        "correct the app",
    )


def test_a_completed_task_has_no_obstacle() -> None:
    assert "the task is completed" in explain_task({"task_id": "0x1", "status": "COMPLETED"}).sentence


def test_a_completed_task_may_represent_a_failure() -> None:
    task = {
        "task_id": "0x1",
        "status": "COMPLETED",
        "error_message": "the app failed",
        "error_cause": "APP_COMPUTE_FAILED",
    }
    found = explain_task(task)
    assert (found.code, found.sentence) == ("APP_COMPUTE_FAILED", "the app failed")


def test_a_worker_is_explained_by_its_record_or_by_fields_of_an_older_core() -> None:
    worker = {"wallet_address": "0x2", "connected": True}
    assert explain_worker(worker | {"reason": REASON}, "old").sentence == REASON["sentence"]
    assert explain_worker(worker, "it is drained").sentence == "it is drained"
    assert "as much work" in explain_worker(worker).sentence


def test_a_worker_that_never_registered_is_explained_too() -> None:
    found = explain_unregistered("0x3", REASON)
    assert (found.state, found.name) == ("never registered", "0x3")
