"""Evidence on chain about replicates and consensus, and the repairs that it requires (core spec §2.7).

The chain is authoritative. A log or a read moves replicates forward with POOL_MANAGER as the author, and fills in
the statuses that the workers did not report. Histories cannot run backwards after a reorganisation. So a contribution
that was removed loses its hash (it counts as pending again) and its worker is asked to contribute again. A worker
whose reveal was removed is asked to reveal again. A consensus that was removed leads through REOPENING and REOPENED
to INITIALIZED.
"""

from typing import Any

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import FINAL_REPLICATE_STATUSES, ReplicateStatus, TaskStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.model import Action, Receipt, Replicate, Task
from workerpool_core.domain.replicates import uploads
from workerpool_core.domain.replicates.consensus_forecast import is_at_dead_end
from workerpool_core.domain.replicates.failures import failure_of, outcome
from workerpool_core.domain.replicates.replicate_machine import missing_statuses
from workerpool_core.domain.timers import Timeout
from workerpool_core.domain.workers import commands, quarantine

_R = ReplicateStatus
_T = TaskStatus
_TO_RUNNING = (_T.RECEIVED, _T.INITIALIZING, _T.INITIALIZED, _T.RUNNING)
_INTERRUPTED = 0.0
"""The time at which an upload was requested, while its worker contributes again instead."""


# --- contributions and reveals ------------------------------------------------------------------


def contributed(
    context: EventContext, replicate: Replicate, result_hash: str, receipt: Receipt | None
) -> None:
    """Record a contribution on chain."""
    if replicate.status is _R.FAILED:
        return
    _lock_stake(context, replicate)
    transitions.update_replicate(context, replicate, contribution_hash=result_hash)
    _replay(context, replicate, _R.CONTRIBUTED, receipt)
    quarantine.reset_failures(context, replicate)


def _lock_stake(context: EventContext, replicate: Replicate) -> None:
    """Subtract the stake that the hub locked with a contribution from the worker's known free stake."""
    live = context.state.workers[replicate.wallet]
    stake = context.state.tasks[replicate.task_id].task.terms.worker_stake
    if stake and live.stake is not None and not replicate.contribution_hash:
        live.stake = max(live.stake - stake, 0)


def revealed(context: EventContext, replicate: Replicate, receipt: Receipt | None) -> None:
    """Record a reveal on chain, and request again an upload that a removed contribution interrupted."""
    _replay(context, replicate, _R.REVEALED, receipt)
    task = context.state.tasks[replicate.task_id].task
    if task.upload_requested_at == _INTERRUPTED and _is_uploader(task, replicate):
        _resume_upload(context, task, replicate)


def contributed_and_finalized(
    context: EventContext, replicate: Replicate, result_hash: str, result_link: str, receipt: Receipt | None
) -> None:
    """Record a contributeAndFinalize on chain."""
    fields = {"result_link": result_link} if result_link else {}
    transitions.update_replicate(context, replicate, contribution_hash=result_hash, **fields)
    _replay(context, replicate, _R.CONTRIBUTE_AND_FINALIZE_DONE, receipt)
    quarantine.reset_failures(context, replicate)


def _replay(
    context: EventContext, replicate: Replicate, target: ReplicateStatus, receipt: Receipt | None
) -> None:
    for status in missing_statuses(replicate, target):
        transitions.move_replicate(context, replicate, status, receipt=receipt if status is target else None)


def contribution_removed(context: EventContext, task: Task, replicate: Replicate) -> None:
    """Handle a contribution that a reorganisation removed: ask its worker to contribute again.

    The command ends an upload in progress. Request it again once contribution and reveal are back, which takes no
    further command when the worker's journal had both mined again.
    """
    transitions.update_replicate(context, replicate, contribution_hash="")
    if not task.ended and not is_at_dead_end(replicate):
        if _is_uploader(task, replicate):
            transitions.update_task(context, task, upload_requested_at=_INTERRUPTED)
        commands.send(context, replicate.wallet, task.task_id, Action.CONTRIBUTE, resume=True)


def reveal_removed(context: EventContext, task: Task, replicate: Replicate) -> None:
    """Handle a reveal that a reorganisation removed: ask its worker to reveal again, and to upload if it was chosen."""
    worker = context.state.workers[replicate.wallet]
    asked = commands.is_pending(worker, task.task_id, Action.REVEAL)
    if asked or replicate.status in FINAL_REPLICATE_STATUSES:
        return
    if _is_uploader(task, replicate):
        _resume_upload(context, task, replicate)
    else:
        _send_reveal(context, task, replicate, resume=True)


def _is_uploader(task: Task, replicate: Replicate) -> bool:
    return task.uploader == replicate.wallet and uploads.is_expected(task, replicate)


def _resume_upload(context: EventContext, task: Task, replicate: Replicate) -> None:
    """Ask the uploader to reveal and upload again; a reveal that is on chain is not sent again."""
    _send_reveal(context, task, replicate, resume=True)
    commands.send(context, replicate.wallet, task.task_id, Action.UPLOAD, resume=True)
    transitions.update_task(context, task, upload_requested_at=context.now)


def reveal_timed_out(context: EventContext, replicate: Replicate) -> None:
    """Fail a winner that did not reveal in time; it loses its stake on chain."""
    if replicate.last_relevant in (_R.CONTRIBUTED, _R.REVEALING):
        cause = ReplicateStatusCause.REVEAL_TIMEOUT
        commands.send(context, replicate.wallet, replicate.task_id, Action.ABORT, cause=cause)
        transitions.move_replicate(context, replicate, _R.FAILED, cause=cause)


# --- consensus ----------------------------------------------------------------------------------


def consensus(
    context: EventContext,
    task: Task,
    value: str,
    *,
    receipt: Receipt,
    reveal_deadline: float,
    winner_count: int,
) -> None:
    """Record a consensus on chain: ask the winners to reveal and abort the other replicates.

    Reads the chain again while it counts more winners than this process knows.
    """
    winners = [r for r in task.replicates.values() if r.contribution_hash == value]
    if len(winners) < winner_count:
        retry_at = context.now + context.state.policy.retry_s
        context.state.timers.set(Timeout.READ, task.task_id, retry_at)
        return
    is_known = task.consensus == value and task.status not in _TO_RUNNING
    fields: dict[str, Any] = {
        "consensus": value,
        "reveal_deadline": reveal_deadline,
        "winner_count": winner_count,
        # A read gives an upper bound of the block; a log gives the block, which is kept.
        "consensus_block": receipt.block if not is_known or receipt.transaction else task.consensus_block,
        **_error_of(winners),
    }
    if not is_known or task.reveal_deadline != reveal_deadline:
        context.state.timers.set(Timeout.REVEAL_DEADLINE, task.task_id, reveal_deadline)
    if is_known:
        moved = bool(receipt.transaction) and receipt.block != task.consensus_block
        transitions.update_task(context, task, **fields)
        if moved:
            _reveal_again(context, task, winners)
        return
    if task.status in _TO_RUNNING:
        missing = _TO_RUNNING[_TO_RUNNING.index(task.status) + 1 :]
        for status in missing:
            transitions.move_task(context, task, status)
        transitions.move_task(context, task, _T.CONSENSUS_REACHED, receipt=receipt, **fields)
    else:
        transitions.update_task(context, task, **fields)
    for replicate in task.replicates.values():
        if replicate.contribution_hash == value:
            if _may_reveal(replicate):
                _send_reveal(context, task, replicate)
        elif not is_at_dead_end(replicate):
            cause = ReplicateStatusCause.CONSENSUS_REACHED
            commands.send(context, replicate.wallet, task.task_id, Action.ABORT, cause=cause)


def _error_of(winners: list[Replicate]) -> dict[str, Any]:
    """Return the failure that the agreed result stands for, as fields of the task."""
    failed = [replicate for replicate in winners if failure_of(replicate) is not None]
    change = outcome(failed[0]) if failed else None
    if change is None:
        return {"error_cause": None, "error_message": ""}
    return {"error_cause": change.cause, "error_message": change.message}


def _may_reveal(replicate: Replicate) -> bool:
    """Return whether a winner may still reveal; an aborted one may too, because its stake is at risk."""
    return not replicate.has_reached(_R.REVEALED) and replicate.status not in FINAL_REPLICATE_STATUSES


def _send_reveal(context: EventContext, task: Task, replicate: Replicate, *, resume: bool = False) -> None:
    block = task.consensus_block
    commands.send(context, replicate.wallet, task.task_id, Action.REVEAL, block=block, resume=resume)


def _reveal_again(context: EventContext, task: Task, winners: list[Replicate]) -> None:
    """Ask for the reveals again: the consensus is in another block, and the reorganisation removed the old ones."""
    for replicate in winners:
        if _may_reveal(replicate):
            _send_reveal(context, task, replicate, resume=True)
    context.read_task(task)


def reopened(context: EventContext, task: Task, receipt: Receipt | None = None) -> None:
    """Reopen a task that the chain reopened without reveals: fail its winners and let other workers contribute."""
    if task.status not in (_T.CONSENSUS_REACHED, _T.REOPENING):
        return
    context.read_contributor_weights(task)
    for replicate in task.replicates.values():
        if replicate.contribution_hash == task.consensus:
            reveal_timed_out(context, replicate)
            transitions.update_replicate(context, replicate, contribution_hash="")
    _reopen(context, task, receipt)


def consensus_removed(context: EventContext, task: Task) -> None:
    """Handle a consensus that a reorganisation removed; the contributions that remain still count."""
    for replicate in task.replicates.values():
        if replicate.contribution_hash == task.consensus and not is_at_dead_end(replicate):
            commands.withdraw(context, context.state.workers[replicate.wallet], task.task_id)
    _reopen(context, task, None)


def _reopen(context: EventContext, task: Task, receipt: Receipt | None) -> None:
    if task.status is _T.CONSENSUS_REACHED:
        transitions.move_task(context, task, _T.REOPENING)
    timers = context.state.timers
    timers.cancel(Timeout.REVEAL_DEADLINE, task.task_id)
    deadline = max(task.terms.contribution_deadline, context.now)
    timers.set(Timeout.CONTRIBUTION_DEADLINE, task.task_id, deadline)
    cleared = {
        "consensus": "",
        "consensus_block": 0,
        "reveal_deadline": 0.0,
        "winner_count": 0,
        "error_cause": None,
        "error_message": "",
    }
    transitions.move_task(context, task, _T.REOPENED, receipt=receipt, **cleared)
