"""The text that requesters see with each status of a replicate: its failures, and what it waits for."""

from collections.abc import Mapping

from workerpool_poco.protocol.causes import ReplicateStatusCause, Side
from workerpool_poco.protocol.statuses import (
    WAITING_CONTRIBUTION_TASK_STATUSES,
    ReplicateStatus,
    TaskStatus,
)

from workerpool_core.domain.blame import BLAME
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.next_steps import advice, consequence
from workerpool_core.domain.model import Modifier, Replicate, ReplicateChange, Task
from workerpool_core.domain.replicates.failures import awaits_decision

_R = ReplicateStatus
_C = ReplicateStatusCause

FAILURES: Mapping[ReplicateStatus, str] = {
    _R.START_FAILED: "the worker did not start the task",
    _R.APP_DOWNLOAD_FAILED: "the worker could not download the app's image",
    _R.DATA_DOWNLOAD_FAILED: "the worker could not download the dataset or an input file",
    _R.COMPUTE_FAILED: "the worker could not run the app",
    _R.COMPUTED: "the app failed",
    _R.CONTRIBUTE_FAILED: "the worker did not contribute",
    _R.REVEAL_FAILED: "the worker did not reveal its contribution",
    _R.RESULT_UPLOAD_FAILED: "the worker did not upload the result",
    _R.CONTRIBUTE_AND_FINALIZE_FAILED: "the worker did not contribute and finalize",
    _R.COMPLETE_FAILED: "the worker did not clean up after the task",
    _R.FAILED: "the attempt of this worker failed",
    _R.ABORTED: "the worker stopped",
    _R.WORKER_LOST: "the worker sent nothing for too long",
}
"""The text of each failed status without a message of the worker. COMPUTED with a cause is a failure."""
_MESSAGES: Mapping[ReplicateStatusCause, str] = {
    _C.CONSENSUS_REACHED: "other workers agreed before this one was needed",
    _C.CONTRIBUTION_TIMEOUT: "the contribution deadline passed",
    _C.REVEAL_TIMEOUT: "the worker did not reveal its contribution in time",
    _C.TASK_NOT_ACTIVE: "the chain has closed the task",
    _C.ERROR_RESULTS_DISABLED: "this pool does not contribute failures as results",
}
_AFTER_CONSENSUS: Mapping[ReplicateStatus, str] = {
    _R.REVEAL_FAILED: "Another winner reveals, or the task is reopened after the reveal deadline.",
    _R.RESULT_UPLOAD_FAILED: "Core requests the result from another worker that revealed.",
    _R.COMPLETE_FAILED: "No action is needed: the result is stored.",
}


def is_failure(change: ReplicateChange) -> bool:
    """Return whether an entry of a replicate's history is a failure."""
    return change.status in FAILURES and (change.status is not _R.COMPUTED or change.cause is not None)


def explain_replicate(task: Task, replicate: Replicate) -> list[Explanation | None]:
    """Return an explanation for each entry of a replicate's history; None for one that needs none."""
    found: list[Explanation | None] = []
    ended = False
    for place, change in enumerate(replicate.history, 1):
        ended = ended or change.status in (_R.COMPUTED, _R.COMPUTE_FAILED)
        exit_code = replicate.exit_code if ended else None
        is_last = place == len(replicate.history)
        if is_failure(change):
            found.append(failure(task, replicate, change, exit_code))
        elif change.status is _R.COMPUTED and exit_code is not None:
            message = change.message or f"the app ended with exit code {exit_code}"
            found.append(Explanation(message, exit_code=exit_code))
        elif is_last and not task.ended and (awaited := _awaited(task, replicate)) is not None:
            found.append(awaited)
        else:
            found.append(Explanation(change.message) if change.message else None)
    return found


def failure(
    task: Task, replicate: Replicate, change: ReplicateChange, exit_code: int | None = None
) -> Explanation:
    """Return the explanation of one failed entry."""
    cause = change.cause
    side = _side(change)
    steps = [advice(cause, task)] if cause is not None and side not in (Side.WORKER, Side.CHAIN) else []
    if change.status in _AFTER_CONSENSUS:
        steps.append(_AFTER_CONSENSUS[change.status])
    elif task.status is TaskStatus.COMPLETED:
        steps = steps or ["No action is needed: the task is complete."]
    elif task.ended:
        steps = steps or ["The last status of the task says how the price is refunded."]
    elif task.status not in WAITING_CONTRIBUTION_TASK_STATUSES or cause is _C.CONSENSUS_REACHED:
        steps = steps or ["No action is needed: the task continues without this worker."]
    elif replicate.error_decision is None or awaits_decision(replicate):
        steps.append(consequence(cause))
    return Explanation(_message(change), side, " ".join(filter(None, steps)), cause, exit_code)


def _message(change: ReplicateChange) -> str:
    if change.message:
        return change.message
    if change.cause is not None and change.cause in _MESSAGES:
        return _MESSAGES[change.cause]
    what = FAILURES[change.status]
    if change.cause is None or change.cause is _C.UNKNOWN:
        return what
    return f"{what}: {change.cause.value.replace('_', ' ').lower()}"


def _side(change: ReplicateChange) -> Side:
    if change.cause is None and change.modifier is Modifier.POOL_MANAGER:
        return Side.WORKER if change.status is _R.WORKER_LOST else Side.POOL
    if change.cause is None and change.status is _R.ABORTED:
        return Side.POOL
    return BLAME[change.cause].side


def _awaited(task: Task, replicate: Replicate) -> Explanation | None:
    """Return what an unfinished replicate waits for; None while its worker makes progress."""
    before_consensus = task.status in WAITING_CONTRIBUTION_TASK_STATUSES
    match replicate.status:
        case _R.CREATED:
            next_step = "It goes to another worker when this one does not answer within seconds."
            return Explanation(
                "the task was sent to the worker, which has not started it", Side.WORKER, next_step
            )
        case _R.RECOVERING:
            return Explanation(
                "the worker reconnected and resumes the task", Side.WORKER, "No action is needed."
            )
        case _R.CONTRIBUTED if before_consensus:
            message = f"the contribution waits until enough workers agree for trust {task.terms.trust}"
            return Explanation(message, Side.POOL, "No action is needed: the pool adds workers as needed.")
    return None
