"""The text that requesters see with each status of a task: why it failed, what it waits for, how it is refunded."""

from collections import Counter
from collections.abc import Mapping

from workerpool_kit.text.spans import utc
from workerpool_poco.protocol.causes import ReplicateStatusCause, Side
from workerpool_poco.protocol.statuses import FAILURE_TASK_STATUSES, ReplicateStatus, TaskStatus

from workerpool_core.domain.blame import BLAME
from workerpool_core.domain.explanations import replicates
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.failure_codes import code_of
from workerpool_core.domain.explanations.next_steps import advice
from workerpool_core.domain.explanations.progress import progress
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import reason
from workerpool_core.domain.model import Replicate, Task

_C = ReplicateStatusCause
_R = ReplicateStatus
_T = TaskStatus
_REASONS: Mapping[TaskStatus, tuple[ReasonCode, str]] = {
    _T.INITIALIZE_FAILED: (ReasonCode.INITIALIZE_FAILED, "the task could not be initialized on chain"),
    _T.REOPEN_FAILED: (
        ReasonCode.REOPEN_FAILED,
        "no contributor revealed, and the task could not be reopened",
    ),
    _T.RESULT_UPLOAD_TIMEOUT: (ReasonCode.UPLOAD_TIMED_OUT, "no worker uploaded the result in time"),
    _T.FINALIZE_FAILED: (ReasonCode.FINALIZE_FAILED, "the task could not be finalized on chain"),
}
"""The failures of a task that its replicates do not explain."""
_MAX_WALLETS = 10
"""Most wallets named as evidence."""


def explain_task(task: Task, waiting: Explanation | None = None) -> list[Explanation | None]:
    """Return an explanation for each entry of a task's history; None for one that needs none.


    `waiting` is why the task makes no progress now.
    """
    found: list[Explanation | None] = []
    for place, change in enumerate(task.history, 1):
        is_last = place == len(task.history)
        if change.status in FAILURE_TASK_STATUSES or change.status is _T.FAILED:
            found.append(failure(task))
        elif change.status is _T.COMPLETED and task.error_cause is not None:
            found.append(_error_result(task, task.error_cause))
        elif is_last and not task.ended:
            found.append(waiting or progress(task))
        else:
            found.append(None)
    return found


def reason_of_task(task: Task, waiting: Explanation | None = None) -> Explanation | None:
    """Return why a task waits or failed, or which failure its result stands for; None when it has a good result.

    `waiting` is why the task makes no progress now.
    """
    if not task.ended:
        return waiting or progress(task)
    if task.status is _T.FAILED:
        return failure(task)
    return _error_result(task, task.error_cause) if task.error_cause is not None else None


def failure(task: Task) -> Explanation:
    """Return why a failed task failed, what its requester can do, and how the price is refunded."""
    found = _reason(task)
    steps = [advice(found.cause, task)] if found.cause is not None else []
    refund_after = utc(task.terms.final_deadline) if task.claim_due else ""
    dated = (("refund_after", refund_after),) if refund_after else ()
    return found._replace(
        next_step=" ".join(filter(None, [*steps, refund(task)])), evidence=(*found.evidence, *dated)
    )


def refund(task: Task) -> str:
    """Return how the requester of a failed task gets the price back."""
    if task.terms.free:
        return "The task was free, so there is nothing to refund."
    if not task.claim_due:
        return (
            "The task is closed on chain: its price is free in the requester's account (iexec account show)."
        )
    return (
        f"Refund: the pool claims the task by itself after {utc(task.terms.final_deadline)}; "
        f"iexec task claim {task.task_id} does the same then."
    )


def _reason(task: Task) -> Explanation:
    status = next((c.status for c in task.history if c.status in FAILURE_TASK_STATUSES), _T.FAILED)
    if task.error_cause is not None:
        return _of_cause(task, task.error_cause)
    if status in _REASONS:
        code, message = _REASONS[status]
        return reason(code, message)
    found = _of_workers(task)
    if status is _T.FINAL_DEADLINE_REACHED:
        message = f"the final deadline passed: {found.message}"
        deadline = ("final_deadline", utc(task.terms.final_deadline))
        code = ReasonCode.FINAL_DEADLINE_PASSED
        return found._replace(message=message, code=code, evidence=(*found.evidence, deadline))
    return found


def _of_cause(task: Task, cause: ReplicateStatusCause) -> Explanation:
    # With the contribution deadline as its cause, no worker took the task, so no worker is at fault.
    side = Side.POOL if cause is _C.CONTRIBUTION_TIMEOUT else BLAME[cause].side
    message = task.error_message or cause.value.replace("_", " ").lower()
    return _caused(task, message, side, cause, _exit_code(task, cause))


def _error_result(task: Task, cause: ReplicateStatusCause) -> Explanation:
    message = f"the result is an error result: {task.error_message or cause.value.replace('_', ' ').lower()}"
    next_step = f"{advice(cause, task)} The result has the file error.txt.".lstrip()
    found = _caused(task, message, BLAME[cause].side, cause, _exit_code(task, cause))
    return found._replace(next_step=next_step)


def _caused(
    task: Task, message: str, side: Side, cause: ReplicateStatusCause | None, exit_code: int | None
) -> Explanation:
    """Return the reason of a failure with a cause, or with a side alone."""
    wallets = [
        replicate.wallet
        for replicate in task.replicates.values()
        if cause is None or any(change.cause is cause for change in replicate.history)
    ]
    return reason(
        code_of(task, side, cause),
        message,
        side=side,
        cause=cause,
        exit_code=exit_code,
        evidence={"workers": ", ".join(wallets[:_MAX_WALLETS]), "attempts": len(task.replicates) or None},
    )


def _exit_code(task: Task, cause: ReplicateStatusCause) -> int | None:
    """Return the exit code of the app in a replicate that failed for a cause."""
    codes = [
        replicate.exit_code
        for replicate in task.replicates.values()
        if any(change.cause is cause for change in replicate.history)
    ]
    return codes[0] if codes else None


def _of_workers(task: Task) -> Explanation:
    """Return why the workers of a task produced no result: the most frequent failure."""
    total = len(task.replicates)
    deadline = utc(task.terms.contribution_deadline)
    if not total:
        message = "no worker took the task"
        return reason(
            ReasonCode.CONTRIBUTION_DEADLINE_PASSED, message, evidence={"contribution_deadline": deadline}
        )
    disagreement = _disagreement(task)
    if disagreement is not None:
        return disagreement
    failures = [found for r in task.replicates.values() if (found := _failure_of(task, r)) is not None]
    if not failures:
        held = ", ".join(sorted({replicate.last_relevant.value for replicate in task.replicates.values()}))
        return reason(
            ReasonCode.CONTRIBUTION_DEADLINE_PASSED,
            f"{_workers(total)} had not finished the task in time ({held})",
            side=Side.WORKER,
            evidence={
                "contribution_deadline": deadline,
                "statuses": held,
                "workers": ", ".join(list(task.replicates)[:_MAX_WALLETS]),
            },
        )
    ((message, side, cause, exit_code), count) = Counter(
        (found.message, found.side, found.cause, found.exit_code) for found in failures
    ).most_common(1)[0]
    summary = f"{count} of {_workers(total)} ended without a result: {message}"
    return _caused(task, summary, side or Side.WORKER, cause, exit_code)


def _failure_of(task: Task, replicate: Replicate) -> Explanation | None:
    """Return the first failure of a replicate; later ones follow from it."""
    failed = [change for change in replicate.history if replicates.is_failure(change)]
    if not failed:
        return None
    own = [change for change in failed if change.status not in (_R.ABORTED, _R.WORKER_LOST)]
    code = replicate.exit_code if any(c.status is _R.COMPUTED for c in replicate.history) else None
    return replicates.failure(task, replicate, (own or failed)[0], code)


def _disagreement(task: Task) -> Explanation | None:
    """Return the reason when workers contributed different results, or too few equal ones; None otherwise."""
    values = {r.contribution_hash for r in task.replicates.values() if r.contribution_hash}
    count = sum(bool(replicate.contribution_hash) for replicate in task.replicates.values())
    if task.consensus or not values:
        return None
    trust = task.terms.trust
    if len(values) > 1:
        return reason(
            ReasonCode.RESULTS_DIFFER,
            f"{_workers(count)} contributed {len(values)} different results, but trust needs agreement",
            evidence={"trust": trust, "contributions": count, "results": len(values)},
        )
    message = f"{_workers(count)} contributed, too few for trust {trust}"
    return reason(
        ReasonCode.TOO_FEW_CONTRIBUTIONS, message, evidence={"trust": trust, "contributions": count}
    )


def _workers(count: int) -> str:
    return f"{count} worker" if count == 1 else f"{count} workers"
