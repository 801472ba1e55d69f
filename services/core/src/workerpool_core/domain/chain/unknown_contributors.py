"""Contributions on chain of replicates that this database does not have.

The hub takes a contribution only with an authorization that the pool signed, so the replicate existed: the database was
restored from an older copy, or it is new. The worker's stake is locked, and the task needs its reveal.
"""

from workerpool_poco.protocol.model import Contribution
from workerpool_poco.protocol.statuses import ContributionStatus, ReplicateStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import TaskRead
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Task, Worker, WorkerModel

_UNKNOWN = "unknown"


def add(context: EventContext, task: Task, event: TaskRead) -> None:
    """Add the replicates of contributors that a read of the chain shows; what they did is recorded from that read."""
    for wallet, contribution in event.contributions.items():
        if wallet not in task.replicates and contribution.status is not ContributionStatus.UNSET:
            _add(context, task, wallet, contribution)


def _add(context: EventContext, task: Task, wallet: str, contribution: Contribution) -> None:
    live = context.state.workers.get(wallet) or _unknown_worker(context, wallet)
    # The hub stores the logarithm of the weight.
    replicate = transitions.add_replicate(context, task, wallet, live.weight or 2**contribution.weight)
    if contribution.status is ContributionStatus.REJECTED:
        # It lost its stake, and the hub takes nothing else of this wallet for the task.
        transitions.move_replicate(context, replicate, ReplicateStatus.ABORTED)


def _unknown_worker(context: EventContext, wallet: str) -> LiveWorker:
    """Register a worker that has not connected since; its Hello tells the rest."""
    model = WorkerModel(_UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, slots=0, memory_bytes=0)
    live = LiveWorker(Worker(wallet, model, context.now, context.now, lost=True))
    context.state.workers[wallet] = live
    transitions.save_worker(context, live.worker)
    return live
