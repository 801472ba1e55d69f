"""The contributions that a task has and can still expect, and whether it needs more (core spec §4, §6.2)."""

from collections.abc import Mapping

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.consensus import needs_more_contributions
from workerpool_poco.protocol.statuses import DEAD_END_REPLICATE_STATUSES, INTERLUDE_REPLICATE_STATUSES

from workerpool_core.domain.dispatch.hardware import needs_enclave
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Replicate, Task
from workerpool_core.domain.replicates.replicate_machine import is_fatal_download_failure


def last_cause(replicate: Replicate) -> ReplicateStatusCause | None:
    """Return the cause of the last relevant status."""
    return next(c.cause for c in reversed(replicate.history) if c.status not in INTERLUDE_REPLICATE_STATUSES)


def is_at_dead_end(replicate: Replicate) -> bool:
    """Return whether the worker will do no more for the task, even while it is connected."""
    status = replicate.last_relevant
    return status in DEAD_END_REPLICATE_STATUSES or is_fatal_download_failure(status, last_cause(replicate))


def is_active(replicate: Replicate, workers: Mapping[str, LiveWorker]) -> bool:
    """Return whether a replicate can still make progress now.

    WORKER_LOST is recorded at most once, so the worker itself tells whether it is lost now.
    """
    worker = workers.get(replicate.wallet)
    return worker is not None and not worker.worker.lost and not is_at_dead_end(replicate)


def is_caf_eligible(task: Task) -> bool:
    """Return whether one transaction may contribute and finalize the task (core spec §1.4)."""
    return task.terms.trust <= 1 and needs_enclave(task.terms.tag)


def expected_until(replicate: Replicate, task: Task) -> float:
    """Return until when a contribution of a replicate is expected: one category time after its creation."""
    return replicate.history[0].date + task.terms.max_execution_s


def wants_more(task: Task, workers: Mapping[str, LiveWorker], now: float) -> bool:
    """Return whether assigning the task to one more worker brings it closer to consensus.

    Contributions on chain always count. Other replicates count while they are active, for at most one category time
    after their creation.
    """
    contributions = [(r.contribution_hash.encode(), r.weight) for r in contributors(task)]
    pending = [replicate.weight for replicate in pending_contributions(task, workers, now)]
    return needs_more_contributions(task.terms.trust, contributions, pending)


def contributors(task: Task) -> list[Replicate]:
    """Return the replicates whose contributions are on chain."""
    return [replicate for replicate in task.replicates.values() if replicate.contribution_hash]


def pending_contributions(task: Task, workers: Mapping[str, LiveWorker], now: float) -> list[Replicate]:
    """Return the replicates whose contributions are still expected."""
    return [
        replicate
        for replicate in task.replicates.values()
        if not replicate.contribution_hash
        and is_active(replicate, workers)
        and now < expected_until(replicate, task)
    ]
