"""Why a task waits or failed, or a worker gets no work: core's record, or the fields of an older core."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_COMPLETED, _FAILED = "COMPLETED", "FAILED"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer of `poolctl why`."""

    subject: str
    """`task` or `worker`."""
    name: str
    """Task id, or wallet."""
    state: str
    """Status of the task; for a worker whether it is connected."""
    code: str
    """The stable name of the reason; empty without an obstacle, or when core sends no code."""
    side: str
    """Whose side it is on, in lower case; empty when no side is to blame."""
    sentence: str
    next_step: str = ""
    evidence: dict[str, str] = field(default_factory=dict)
    until: str | None = None
    """Latest time at which it changes without action, ISO 8601."""
    cause: str = ""


def explain_task(task: Mapping[str, Any]) -> Explanation:
    """Return why a task waits or failed."""
    status, name = str(task.get("status", "")), str(task.get("task_id", ""))
    if reason := task.get("reason"):
        return _of_reason("task", name, status, reason)
    last = (list(task.get("history", ())) or [{}])[-1]
    failure = _last_failure(task)
    if status == _COMPLETED and not task.get("error_message"):
        return Explanation("task", name, status, "", "", "the task is completed")
    if status == _COMPLETED:
        return Explanation(
            "task",
            name,
            status,
            str(task.get("error_cause", "")),
            str(failure.get("fault", "")).lower(),
            str(task["error_message"]),
            str(failure.get("next_step", "")),
            cause=str(task.get("error_cause", "")),
        )
    entry = failure if status == _FAILED and failure else last
    sentence = str(task.get("waiting_reason") or entry.get("message") or "")
    return Explanation(
        "task",
        name,
        status,
        str(entry.get("cause", "")),
        str(entry.get("fault", "")).lower(),
        sentence or f"the task is {status}; core reports no more",
        str(entry.get("next_step", "")),
        cause=str(entry.get("cause", "")),
    )


def explain_worker(worker: Mapping[str, Any], idle_reason: str = "") -> Explanation:
    """Return why a worker gets no further work; `idle_reason` is the field of an older core."""
    name = str(worker.get("wallet_address", ""))
    state = "connected" if worker.get("connected") else "not connected"
    if reason := worker.get("reason"):
        return _of_reason("worker", name, state, reason)
    sentence = idle_reason or "the worker has as much work as it can take"
    return Explanation("worker", name, state, "", "", sentence)


def explain_unregistered(wallet: str, reason: Mapping[str, Any]) -> Explanation:
    """Return why a worker that never registered gets no work."""
    return _of_reason("worker", wallet, "never registered", reason)


def _of_reason(subject: str, name: str, state: str, reason: Mapping[str, Any]) -> Explanation:
    return Explanation(
        subject=subject,
        name=name,
        state=state,
        code=str(reason.get("code", "")),
        side=str(reason.get("fault", "")).lower(),
        sentence=str(reason.get("sentence", "")),
        next_step=str(reason.get("next_step", "")),
        evidence={
            str(each.get("key", "")): str(each.get("value", "")) for each in reason.get("evidence", ())
        },
        until=reason.get("until"),
        cause=str(reason.get("cause", "")),
    )


def _last_failure(task: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the newest entry of the histories that names a side."""
    histories = [task.get("history", ()), *(each.get("history", ()) for each in task.get("replicates", ()))]
    blamed = [entry for history in histories for entry in history if entry.get("fault")]
    return max(blamed, key=lambda entry: str(entry.get("date") or ""), default={})
