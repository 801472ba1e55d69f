"""What an unfinished task waits for while nothing blocks it, or which workers compute it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from workerpool_kit.text.spans import utc
from workerpool_poco.protocol.causes import Side
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import reason
from workerpool_core.domain.model import Replicate, Task
from workerpool_core.domain.replicates.consensus_forecast import is_at_dead_end

_R = ReplicateStatus
_T = TaskStatus
_NOTHING = "No action is needed."
_MAX_WALLETS = 10
"""Most wallets named as evidence."""


def progress(task: Task) -> Explanation:
    """Return what an unfinished task waits for, or which workers compute it."""
    return _AWAITED.get(task.status, _workers_at_work)(task)


def _initialize(task: Task) -> Explanation:
    side = Side.POOL if task.status is _T.RECEIVED else Side.CHAIN
    return reason(
        ReasonCode.WAITING_FOR_INITIALIZE,
        "the task waits for its initialization on chain",
        side=side,
        next_step=_NOTHING,
        until=task.terms.contribution_deadline,
    )


def _reveal(task: Task) -> Explanation:
    replicates = task.replicates.values()
    waits = "the workers agreed, and the task waits for the reveal of their results"
    if task.status is _T.RESULT_UPLOADED:
        waits = "the result is stored, and the task waits for the last reveals"
    until = f", until {utc(task.reveal_deadline)} at the latest" if task.reveal_deadline else ""
    return reason(
        ReasonCode.WAITING_FOR_REVEAL,
        f"{waits}{until}",
        until=task.reveal_deadline,
        evidence={
            "winners": task.winner_count or None,
            "revealed": sum(replicate.has_reached(_R.REVEALED) for replicate in replicates),
            "workers": _wallets(each for each in replicates if each.contribution_hash),
            "statuses": _statuses(task),
        },
    )


def _upload(task: Task) -> Explanation:
    failed = [
        (change, replicate)
        for replicate in task.replicates.values()
        for change in replicate.history
        if change.status is _R.RESULT_UPLOAD_FAILED
    ]
    if not failed:
        message = "the task waits for a worker to upload the result"
        until = task.terms.final_deadline
        return reason(
            ReasonCode.WAITING_FOR_UPLOAD, message, until=until, evidence={"uploader": task.uploader}
        )
    newest = max((change for change, _ in failed), key=lambda change: change.date)
    error = newest.message or (
        newest.cause.value if newest.cause is not None else "the worker did not report"
    )
    return reason(
        ReasonCode.UPLOAD_FAILING,
        f"the result is not stored after {len(failed)} failed uploads: {error}",
        until=task.terms.final_deadline,
        cause=newest.cause,
        evidence={
            "uploader": task.uploader,
            "failed_uploads": len(failed),
            "workers": _wallets(replicate for _, replicate in failed),
            "last_error": error,
        },
    )


def _finalize(task: Task) -> Explanation:
    return reason(
        ReasonCode.WAITING_FOR_FINALIZE,
        f"the task waits for its finalization on chain, until {utc(task.terms.final_deadline)} at the latest",
        until=task.terms.final_deadline,
    )


def _reopen(task: Task) -> Explanation:
    message = "no worker revealed in time, and the task waits to be reopened on chain"
    return reason(ReasonCode.WAITING_FOR_REOPEN, message, until=task.terms.contribution_deadline)


def _workers_at_work(task: Task) -> Explanation:
    if not task.replicates:
        message = "the task waits for a worker, so there is no output yet"
        return reason(ReasonCode.WAITING_FOR_WORKER, message, side=Side.POOL)
    evidence = {"workers": _wallets(task.replicates.values()), "statuses": _statuses(task)}
    message = f"{_counted(len(task.replicates))} got the task: {evidence['statuses']}"
    until = task.terms.contribution_deadline
    at_work = [each for each in task.replicates.values() if not is_at_dead_end(each)]
    contributions = sum(bool(replicate.contribution_hash) for replicate in at_work)
    if contributions and contributions == len(at_work):
        trust = task.terms.trust
        message = f"{message}; trust {trust} needs agreement, until {utc(until)} at the latest"
        return reason(
            ReasonCode.WAITING_FOR_CONSENSUS,
            message,
            until=until,
            evidence={"trust": trust, "contributions": contributions, **evidence},
        )
    limit = task.terms.max_execution_s
    return reason(ReasonCode.COMPUTING, message, until=until, evidence={"max_execution_s": limit, **evidence})


_AWAITED: Mapping[TaskStatus, Callable[[Task], Explanation]] = {
    _T.RECEIVED: _initialize,
    _T.INITIALIZING: _initialize,
    _T.CONSENSUS_REACHED: _reveal,
    _T.AT_LEAST_ONE_REVEALED: _upload,
    _T.RESULT_UPLOADING: _upload,
    _T.RESULT_UPLOADED: _reveal,
    _T.FINALIZING: _finalize,
    _T.REOPENING: _reopen,
}
"""What a task waits for in each status in which no worker computes."""


def _statuses(task: Task) -> str:
    counts = Counter(replicate.last_relevant.value for replicate in task.replicates.values())
    return ", ".join(f"{count} {status}" for status, count in counts.items())


def _wallets(replicates: Iterable[Replicate]) -> str:
    return ", ".join(list(dict.fromkeys(each.wallet for each in replicates))[:_MAX_WALLETS])


def _counted(count: int) -> str:
    return f"{count} worker" if count == 1 else f"{count} workers"
