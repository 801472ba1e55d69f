"""Reconciliation of a task with a read of the chain: repairs first, then the decisions that need the chain.

A read older than the newest followed block is stale and is retried.
"""

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.protocol.statuses import (
    ChainTaskStatus,
    ContributionStatus,
    ReplicateStatus,
    TaskStatus,
)

from workerpool_core.domain import transitions
from workerpool_core.domain.chain import chain_evidence, deadlines, refusals, unknown_contributors
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import TaskRead, TransactionKind
from workerpool_core.domain.model import Receipt, Replicate, Task
from workerpool_core.domain.replicates import pending_reports
from workerpool_core.domain.replicates.consensus_forecast import is_caf_eligible
from workerpool_core.domain.tasks import completion, initialization, retries
from workerpool_core.domain.timers import Timeout

_R = ReplicateStatus
_T = TaskStatus
_CONTRIBUTIONS = (_R.CONTRIBUTED, _R.CONTRIBUTE_AND_FINALIZE_DONE)
_CONSENSUS = (_T.CONSENSUS_REACHED, _T.REOPENING)


def reconcile(context: EventContext, event: TaskRead) -> None:
    """Reconcile a task with the state of the chain."""
    task = context.state.task(event.task_id)
    if task is None:
        return
    timers = context.state.timers
    timers.cancel(Timeout.READ, task.task_id)
    if event.block < context.state.head:
        if not task.ended or task.claim_due or task.finalize_due:
            timers.set(Timeout.READ, task.task_id, context.now + context.state.policy.retry_s)
        return
    writes_before = len(context.writes)
    _reconcile(context, task, event)
    if len(context.writes) > writes_before:
        context.note_unfollowed(task, event.block)


def _reconcile(context: EventContext, task: Task, event: TaskRead) -> None:
    requested_at = context.now if event.requested_at is None else event.requested_at
    chain = event.task if event.task and event.task.status is not ChainTaskStatus.UNSET else None
    if task.ended:
        _reconcile_ended(context, task, chain, event.block)
        return
    if chain is None:
        _reconcile_uninitialized(context, task, event, requested_at)
    else:
        _reconcile_initialized(context, task, chain, event, requested_at)
    if not task.ended and chain is not None:
        refusals.judge(context, task, chain, requested_at)
    if not task.ended:
        deadlines.judge(context, task, chain, requested_at)
    if not task.ended and chain is not None:
        deadlines.compare_forecast(context, task, chain, event)
    if not task.ended:
        deadlines.judge_pending_failure(context, task, chain, requested_at)
    context.tasks_to_advance[task.task_id] = None


def _reconcile_ended(context: EventContext, task: Task, chain: ChainTask | None, block: int) -> None:
    if chain is not None and chain.status in (ChainTaskStatus.FAILED, ChainTaskStatus.COMPLETED):
        completion.closed(context, task, block)
    elif 0 < task.final_block <= block:
        completion.closing_removed(context, task)
        retries.retry(context, task)
    elif task.finalize_due or (task.claim_due and context.now >= task.terms.final_deadline):
        retries.retry_later(context, task)


def _reconcile_uninitialized(context: EventContext, task: Task, event: TaskRead, requested_at: float) -> None:
    """Reconcile a task that is not initialized on chain: not yet, or a reorganisation removed it or its deal.

    Its workers are asked to contribute again at once; they contribute when the task is initialized again.
    """
    if task.status in _CONSENSUS:
        chain_evidence.consensus_removed(context, task)
    for wallet in event.contributions:
        replicate = task.replicates.get(wallet)
        if replicate is not None:
            pending_reports.answered_by_chain(context, task, replicate, frozenset(), requested_at)
            missing = pending_reports.take_missing_transaction(context, replicate, requested_at)
            if replicate.contribution_hash or missing in _CONTRIBUTIONS:
                chain_evidence.contribution_removed(context, task, replicate)
    if refusals.take(context, task, TransactionKind.INITIALIZE, requested_at):
        too_late = context.now >= task.terms.contribution_deadline
        if too_late or refusals.is_final(context, task, TransactionKind.INITIALIZE):
            _fail_uninitialized(context, task)
        else:
            retries.retry_later(context, task)
    elif task.initialization_block:
        transitions.update_task(context, task, initialization_block=0)
        context.tasks_to_match[task.task_id] = None
        if task.status is not _T.RECEIVED:
            context.request_transaction(TransactionKind.INITIALIZE, task)
        retries.retry_later(context, task)


def _fail_uninitialized(context: EventContext, task: Task) -> None:
    """Fail a task that cannot be initialized, unless its consensus is recorded.

    Such a task occupies no worker, and ends at its final deadline.
    """
    if task.status in (_T.RECEIVED, _T.INITIALIZING):
        fields = refusals.error_fields(context, task, "initialization")
        completion.fail(context, task, _T.INITIALIZE_FAILED, **fields)
    elif task.status in (_T.INITIALIZED, _T.RUNNING):
        fields = refusals.error_fields(context, task, "initialization after a reorganisation")
        completion.fail(
            context, task, _T.CONTRIBUTION_TIMEOUT, ReplicateStatusCause.TASK_NOT_ACTIVE, **fields
        )
    else:
        retries.retry_later(context, task)


def _reconcile_initialized(
    context: EventContext, task: Task, chain: ChainTask, event: TaskRead, requested_at: float
) -> None:
    initialization.initialized(context, task, Receipt(task.initialization_block or event.block))
    if task.ended:
        return
    unknown_contributors.add(context, task, event)
    if chain.status is ChainTaskStatus.ACTIVE and task.status in _CONSENSUS:
        _reconcile_lost_consensus(context, task, event)
    for wallet, contribution in event.contributions.items():
        replicate = task.replicates.get(wallet)
        if replicate is not None:
            result_hash = to_hex(contribution.result_hash)
            _reconcile_contribution(
                context, task, replicate, contribution.status, result_hash, chain, requested_at
            )
    if chain.status is ChainTaskStatus.REVEALING:
        chain_evidence.consensus(
            context,
            task,
            to_hex(chain.consensus_value),
            receipt=Receipt(event.block),
            reveal_deadline=chain.reveal_deadline,
            winner_count=chain.winner_counter,
        )
    elif chain.status is ChainTaskStatus.COMPLETED:
        completion.complete(context, task, Receipt(), chain.results.decode(errors="replace"))
    elif chain.status is ChainTaskStatus.FAILED:
        completion.fail(context, task, _T.FINAL_DEADLINE_REACHED)
        completion.closed(context, task, event.block)


def _reconcile_lost_consensus(context: EventContext, task: Task, event: TaskRead) -> None:
    """Handle a task that is ACTIVE on chain after a consensus.

    It was reopened if the chain rejected a winner; otherwise a reorganisation removed the consensus.
    """
    contributions = event.contributions
    rejected = any(
        replicate.contribution_hash == task.consensus
        and wallet in contributions
        and contributions[wallet].status is ContributionStatus.REJECTED
        for wallet, replicate in task.replicates.items()
    )
    if rejected:
        chain_evidence.reopened(context, task)
    else:
        chain_evidence.consensus_removed(context, task)


def _reconcile_contribution(
    context: EventContext,
    task: Task,
    replicate: Replicate,
    status: ContributionStatus,
    result_hash: str,
    chain: ChainTask,
    requested_at: float,
) -> None:
    """Reconcile a replicate with its contribution on chain."""
    proven = _proven_statuses(replicate, task, status, chain)
    # A report of the worker is recorded with it as the author, before the scheduler fills in missing statuses.
    pending_reports.answered_by_chain(context, task, replicate, proven, requested_at)
    missing = pending_reports.take_missing_transaction(context, replicate, requested_at)
    if status is ContributionStatus.UNSET:
        was_reported = chain.status is ChainTaskStatus.ACTIVE and missing in _CONTRIBUTIONS
        if replicate.contribution_hash or was_reported:
            chain_evidence.contribution_removed(context, task, replicate)
    elif _R.CONTRIBUTE_AND_FINALIZE_DONE in proven:
        link = chain.results.decode(errors="replace")
        chain_evidence.contributed_and_finalized(context, replicate, result_hash, link, None)
    elif proven:
        chain_evidence.contributed(context, replicate, result_hash, None)
        if _R.REVEALED in proven:
            chain_evidence.revealed(context, replicate, None)
        elif (replicate.has_reached(_R.REVEALED) or missing is _R.REVEALED) and _accepts_reveals(
            context, chain
        ):
            chain_evidence.reveal_removed(context, task, replicate)


def _proven_statuses(
    replicate: Replicate, task: Task, status: ContributionStatus, chain: ChainTask
) -> frozenset[ReplicateStatus]:
    """Return the replicate statuses that the status of its contribution on chain proves."""
    completed = chain.status is ChainTaskStatus.COMPLETED
    if status is ContributionStatus.UNSET or (status is ContributionStatus.REJECTED and not completed):
        return frozenset()
    if status is not ContributionStatus.PROVED:
        return frozenset({_R.CONTRIBUTED})
    if completed and is_caf_eligible(task) and not replicate.has_reached(_R.CONTRIBUTING):
        return frozenset({_R.CONTRIBUTE_AND_FINALIZE_DONE})
    return frozenset({_R.CONTRIBUTED, _R.REVEALED})


def _accepts_reveals(context: EventContext, chain: ChainTask) -> bool:
    return chain.status is ChainTaskStatus.REVEALING and context.now < chain.reveal_deadline
