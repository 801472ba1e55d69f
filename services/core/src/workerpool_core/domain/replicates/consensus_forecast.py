"""The contributions that a task has and can still expect, and whether it needs more (core spec §4, §6.2)."""

from collections.abc import Mapping

from workerpool_poco.protocol.consensus import needs_more_contributions
from workerpool_poco.protocol.statuses import DEAD_END_REPLICATE_STATUSES

from workerpool_core.domain.dispatch.hardware import needs_enclave
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import ErrorDecision, Replicate, Task
from workerpool_core.domain.replicates.failures import OUTCOMES, awaits_decision, is_dropped, is_failed


def is_at_dead_end(replicate: Replicate) -> bool:
    """Return whether the worker does no more for the task, even while it is connected."""
    last = replicate.last_relevant_change
    if last.status in DEAD_END_REPLICATE_STATUSES:
        return True
    return last.status in OUTCOMES and (is_dropped(replicate) or is_failed(last.status, last.cause))


def is_active(replicate: Replicate, workers: Mapping[str, LiveWorker]) -> bool:
    """Return whether a replicate can still make progress now.

    WORKER_LOST is recorded at most once, so the state of the worker decides. An assignment that timed out makes no
    progress until its worker reports STARTING.
    """
    worker = workers.get(replicate.wallet)
    if worker is None or worker.worker.lost or replicate.task_id in worker.unanswered:
        return False
    return not is_at_dead_end(replicate)


def is_caf_eligible(task: Task) -> bool:
    """Return whether one transaction may contribute and finalize the task (core spec §1.4)."""
    return task.terms.trust <= 1 and needs_enclave(task.terms.tag)


def expected_until(replicate: Replicate, task: Task) -> float:
    """Return until when a contribution of a replicate is expected.

    It is one category time after its creation, or after the decision to contribute its error result.
    """
    decided = replicate.error_decision is ErrorDecision.CONTRIBUTE
    since = replicate.decided_at if decided else replicate.history[0].date
    return since + task.terms.max_execution_s


def wants_more(task: Task, workers: Mapping[str, LiveWorker], now: float) -> bool:
    """Return whether assigning the task to one more worker brings it closer to consensus.

    Contributions on chain always count. Other replicates count while they are active, for at most one category time
    after their creation.
    """
    if not task.replicates:
        return True
    contributions = [(r.contribution_hash.encode(), r.weight) for r in contributors(task)]
    pending = [replicate.weight for replicate in pending_contributions(task, workers, now)]
    return needs_more_contributions(task.terms.trust, contributions, pending)


def contributors(task: Task) -> list[Replicate]:
    """Return the replicates whose contributions are on chain."""
    return [replicate for replicate in task.replicates.values() if replicate.contribution_hash]


def pending_contributions(task: Task, workers: Mapping[str, LiveWorker], now: float) -> list[Replicate]:
    """Return the replicates whose contributions are still expected: neither late nor an undecided error result."""
    return [
        replicate
        for replicate in task.replicates.values()
        if not replicate.contribution_hash
        and not replicate.overdue
        and now < expected_until(replicate, task)
        and is_active(replicate, workers)
        and not awaits_decision(replicate)
    ]
