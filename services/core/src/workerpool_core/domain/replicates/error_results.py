"""The decision on error results: results that stand for a failure of the app, its files or its parameters.

With a trust above 1 the chain compares the contributions of several workers, so each error result is contributed at
once. With trust 1 a single broken worker would decide. So its error result waits, without a slot, until another
worker reports: a second worker with the same failure contributes it, and so does a third with any failure. A success
is always contributed. When no other worker can try the task, the failure is contributed.

A failure that says nothing about the app, such as a failing registry, does not confirm another one. It is contributed
only when no other worker can try the task and none contributed a success, whatever the trust.
"""

from collections.abc import Sequence

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import WAITING_CONTRIBUTION_TASK_STATUSES, TaskStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.blame import is_last_resort
from workerpool_core.domain.dispatch.eligibility import has_eligible_worker
from workerpool_core.domain.dispatch.hardware import needs_enclave
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.model import Action, ErrorDecision, Replicate, Task
from workerpool_core.domain.replicates.consensus_forecast import (
    contributors,
    expected_until,
    is_active,
    is_at_dead_end,
)
from workerpool_core.domain.replicates.failures import (
    Failure,
    awaits_decision,
    failure_of,
    is_dropped,
    outcome,
)
from workerpool_core.domain.tasks import completion
from workerpool_core.domain.timers import Timeout
from workerpool_core.domain.workers import commands

_C = ReplicateStatusCause
_ENOUGH_FAILURES = 3
"""Failures after which the last one is contributed even if all differ."""
_LONGEST_WAIT_S = 300.0
"""Longest time in seconds for which an error result waits for a busy worker; a failing app ends in minutes."""


def is_settled(failures: Sequence[Failure], trust: int, *, another_may_try: bool) -> bool:
    """Return whether the failures of workers, oldest first, suffice without another worker's attempt."""
    if not another_may_try:
        return True
    known = [failure for failure in failures if not is_last_resort(failure.cause)]
    if trust > 1:
        return bool(known)
    return len(known) >= _ENOUGH_FAILURES or len(set(known)) < len(known)


def advance(context: EventContext, task: Task) -> None:
    """Decide on the error results that workers hold, as far as it is possible now."""
    if task.status not in WAITING_CONTRIBUTION_TASK_STATUSES:
        return
    waiting = [replicate for replicate in task.replicates.values() if awaits_decision(replicate)]
    if not _is_contributable(context, task):
        for replicate in waiting:
            _drop(context, task, replicate)
        if task.error_cause is None and any(map(is_dropped, task.replicates.values())):
            _end_without_result(context, task)
            _check_later(context, task)
        return
    if not waiting:
        return
    if task.terms.trust > 1:
        return _advance_majority(context, task, waiting)
    failed = _failed(task)
    another_may_try = _another_may_try(context, task)
    settled = is_settled(
        [failure for _, failure in failed], task.terms.trust, another_may_try=another_may_try
    )
    chosen = _chosen(context, failed) if settled and not _is_contributing(context, task) else None
    if chosen is not None:
        _contribute(context, task, chosen)
    _check_later(context, task)


def _advance_majority(context: EventContext, task: Task, waiting: Sequence[Replicate]) -> None:
    """Contribute the error results of a task whose contributions the chain compares, those of last resort at the end.

    A last resort that competes with a success loses the worker's stake, so it waits until no other worker may succeed.
    """
    last = [replicate for replicate in waiting if _is_last_resort(replicate)]
    for replicate in waiting:
        if replicate not in last:
            _contribute(context, task, replicate)
    if not last:
        return
    may_succeed = any(
        failure_of(replicate) is None
        and (replicate.contribution_hash or is_active(replicate, context.state.workers))
        for replicate in task.replicates.values()
    )
    if not may_succeed and not _another_may_try(context, task):
        for replicate in last:
            _contribute(context, task, replicate)
    else:
        _check_later(context, task)


def _is_last_resort(replicate: Replicate) -> bool:
    failure = failure_of(replicate)
    return failure is not None and is_last_resort(failure.cause)


def _check_later(context: EventContext, task: Task) -> None:
    """Schedule another decision: no event shows that the last other worker is gone, stays busy, or runs out of time.

    The decision must not miss the two moments before the contribution deadline after which no other worker is awaited.
    """
    deadline, execution_s = task.terms.contribution_deadline, task.terms.max_execution_s
    moments = (deadline - 3 * execution_s / 2, deadline - execution_s / 2)
    check_at = min(
        context.now + context.state.policy.read_timeout_s,
        *(moment for moment in moments if moment > context.now),
        float("inf"),
    )
    context.state.timers.set(Timeout.ERROR_RESULT, task.task_id, check_at)


def _is_contributable(context: EventContext, task: Task) -> bool:
    """Return whether error results of a task are contributed; those of enclave tasks lack the enclave signature."""
    return context.state.policy.error_results and not needs_enclave(task.terms.tag)


def _failed(task: Task) -> list[tuple[Replicate, Failure]]:
    """Return the replicates that reported an error result, oldest report first."""
    found = [
        (change.date, place, replicate, failure)
        for place, replicate in enumerate(task.replicates.values())
        if (failure := failure_of(replicate)) is not None and (change := outcome(replicate)) is not None
    ]
    found.sort(key=lambda item: item[:2])
    return [(replicate, failure) for _, _, replicate, failure in found]


def _another_may_try(context: EventContext, task: Task) -> bool:
    """Return whether the result of another worker, running or assignable, is worth waiting for."""
    execution_s = task.terms.max_execution_s
    if context.now >= task.terms.contribution_deadline - execution_s / 2:
        return False
    for replicate in task.replicates.values():
        # A worker that succeeded counts even while it is lost, because a success outweighs failures.
        succeeded = outcome(replicate) is not None and failure_of(replicate) is None
        running = is_active(replicate, context.state.workers)
        in_time = not replicate.overdue and context.now < expected_until(replicate, task)
        is_awaited = in_time and (running or succeeded)
        if failure_of(replicate) is None and (replicate.contribution_hash or is_awaited):
            return True
    # A futile wait for a worker does not shorten the time in which another one can be assigned.
    latest = max(_awaited_until(context, task, replicate) for replicate in task.replicates.values())
    end = min(
        latest + min(execution_s, _LONGEST_WAIT_S), task.terms.contribution_deadline - 3 * execution_s / 2
    )
    return context.now < end and has_eligible_worker(context, task)


def _awaited_until(context: EventContext, task: Task, replicate: Replicate) -> float:
    """Return when it was clear that a replicate yields no success (Unix seconds)."""
    if failure_of(replicate) is not None or is_at_dead_end(replicate):
        return replicate.history[-1].date
    return min(expected_until(replicate, task), context.now)


def _is_contributing(context: EventContext, task: Task) -> bool:
    """Return whether a worker has the command to contribute its error result and still can."""
    return any(
        replicate.error_decision is ErrorDecision.CONTRIBUTE
        and (
            replicate.contribution_hash
            or (
                not replicate.overdue
                and context.now < expected_until(replicate, task)
                and is_active(replicate, context.state.workers)
            )
        )
        for replicate in task.replicates.values()
    )


def _chosen(context: EventContext, failed: list[tuple[Replicate, Failure]]) -> Replicate | None:
    """Return the replicate to contribute: the newest with the most frequent failure, connected workers first."""
    seen = [failure for _, failure in failed]
    workers = context.state.workers
    candidates = [
        (
            workers[replicate.wallet].session is not None,
            not is_last_resort(failure.cause),
            seen.count(failure),
            place,
            replicate,
        )
        for place, (replicate, failure) in enumerate(failed)
        if awaits_decision(replicate) and not workers[replicate.wallet].worker.lost
    ]
    return max(candidates, key=lambda item: item[:4])[4] if candidates else None


# --- the decisions ------------------------------------------------------------------------------


def _contribute(context: EventContext, task: Task, replicate: Replicate) -> None:
    transitions.update_replicate(
        context, replicate, error_decision=ErrorDecision.CONTRIBUTE, decided_at=context.now
    )
    commands.send(context, replicate.wallet, task.task_id, Action.CONTRIBUTE, resume=True)
    timers = context.state.timers
    timers.set(Timeout.CONTRIBUTION, task.task_id, expected_until(replicate, task), replicate.wallet)
    timers.set(
        Timeout.EXECUTION,
        task.task_id,
        context.now + context.state.policy.proof_timeout_s,
        replicate.wallet,
    )


def _drop(context: EventContext, task: Task, replicate: Replicate) -> None:
    """Abort a replicate whose error result is not contributed."""
    failure = failure_of(replicate)
    disabled = not context.state.policy.error_results
    cause = _C.ERROR_RESULTS_DISABLED if disabled or failure is None else failure.cause
    transitions.update_replicate(
        context, replicate, error_decision=ErrorDecision.ABORT, decided_at=context.now
    )
    commands.send(context, replicate.wallet, task.task_id, Action.ABORT, cause=cause)


def _end_without_result(context: EventContext, task: Task) -> None:
    """End a task whose failure is settled and cannot be contributed; it is claimed at its final deadline."""
    failed = _failed(task)
    another_may_try = _another_may_try(context, task)
    failures = [failure for _, failure in failed]
    if contributors(task) or not is_settled(failures, 1, another_may_try=another_may_try):
        return
    change = outcome(failed[-1][0])
    assert change is not None
    transitions.update_task(context, task, error_cause=change.cause, error_message=change.message)
    completion.fail_after_read(context, task, TaskStatus.RUNNING_FAILED)
