"""Which replicates still live, and whether a task wants one more (core spec §4, §6.2)."""

from collections.abc import Mapping

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.consensus import needs_more_contributions
from workerpool_poco.protocol.statuses import DEAD_END_REPLICATE_STATUSES, INTERLUDE_REPLICATE_STATUSES

from workerpool_core.domain.dispatch.supply import needs_enclave
from workerpool_core.domain.model import Replicate, Task, Worker
from workerpool_core.domain.replicates.replicate_machine import gave_up_download


def last_cause(replicate: Replicate) -> ReplicateStatusCause | None:
    """Return the cause that came with the last relevant status."""
    return next(c.cause for c in reversed(replicate.history) if c.status not in INTERLUDE_REPLICATE_STATUSES)


def at_dead_end(replicate: Replicate) -> bool:
    """Tell whether the replicate's worker will do no more for the task, even when it is there."""
    status = replicate.last_relevant
    return status in DEAD_END_REPLICATE_STATUSES or gave_up_download(status, last_cause(replicate))


def is_live(replicate: Replicate, workers: Mapping[str, Worker]) -> bool:
    """Tell whether something may still be expected of a replicate now.

    WORKER_LOST is recorded once at most, so whether its worker is lost now is asked of the worker.
    """
    worker = workers.get(replicate.wallet)
    return worker is not None and not worker.lost and not at_dead_end(replicate)


def is_caf_eligible(task: Task) -> bool:
    """Tell whether one transaction may contribute and finalize the task (core spec §1.4)."""
    return task.terms.trust <= 1 and needs_enclave(task.terms.tag)


def pending_until(replicate: Replicate, task: Task) -> float:
    """Return until when a silent replicate counts as a contribution to come: one T after its creation."""
    return replicate.history[0].date + task.terms.max_execution_s


def wants_more(task: Task, workers: Mapping[str, Worker], now: float) -> bool:
    """Tell whether handing the task to one more worker is useful.

    Contributions on chain count whatever became of their workers. Of the others only the living count, and
    only for one T (category time) after their creation: nobody waits for the dead.
    """
    contributions = [(r.contribution_hash.encode(), r.weight) for r in contributors(task)]
    pending = [replicate.weight for replicate in pending_of(task, workers, now)]
    return needs_more_contributions(task.terms.trust, contributions, pending)


def contributors(task: Task) -> list[Replicate]:
    """Return the replicates whose contributions stand on chain."""
    return [replicate for replicate in task.replicates.values() if replicate.contribution_hash]


def pending_of(task: Task, workers: Mapping[str, Worker], now: float) -> list[Replicate]:
    """Return the replicates that are expected to contribute yet."""
    return [
        replicate
        for replicate in task.replicates.values()
        if not replicate.contribution_hash
        and is_live(replicate, workers)
        and now < pending_until(replicate, task)
    ]
