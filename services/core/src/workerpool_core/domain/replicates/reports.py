"""Statuses that workers report: validation and answers (core spec §2.5, §2.6).

What the chain or the result proxy can prove is not believed but checked: such a report waits, and what the
worker reports of the same replicate afterwards waits behind it. No block number of a worker is ever used.
"""

from collections import deque
from dataclasses import replace

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import SCHEDULER_REPLICATE_STATUSES, ReplicateStatus

from workerpool_core.domain.chain import chain_evidence
from workerpool_core.domain.decisions import AnswerUpdate, LogsKept, UpdateOutcome
from workerpool_core.domain.event_context import Turn
from workerpool_core.domain.events import StatusReported, Update
from workerpool_core.domain.model import Action, Modifier, Receipt, Replicate, Task
from workerpool_core.domain.replicates import uploads
from workerpool_core.domain.replicates.consensus_forecast import is_caf_eligible
from workerpool_core.domain.replicates.replicate_machine import Verdict, is_provable, judge, next_action
from workerpool_core.domain.state import Parked
from workerpool_core.domain.timers import Alarm
from workerpool_core.domain.workers import failures

_R = ReplicateStatus
_BY_CHAIN = (_R.CONTRIBUTED, _R.REVEALED, _R.CONTRIBUTE_AND_FINALIZE_DONE)
_BY_PROXY = (_R.RESULT_UPLOADED, _R.RESULT_UPLOAD_FAILED)
_UPLOADS = (_R.RESULT_UPLOADING, *_BY_PROXY)
_LOG_LIMIT = 64
_MOST_WAITING = 16  # twice what follows a contribution; each may carry 65,538 characters of callback data
_UNKNOWN = "UNKNOWN_REPLICATE"
_UNPROVEN = "GENERIC_CANT_UPDATE"
_ILLEGAL = Verdict.BAD_WORKFLOW_TRANSITION.value
_EXPLANATIONS = {
    _UNKNOWN: "the pool knows of no work of this worker on this task: drop it",
    _UNPROVEN: "neither the chain nor the result proxy shows what was reported",
    _ILLEGAL: "the replicate cannot enter this status from the one it is in",
}


def reported(turn: Turn, event: StatusReported) -> None:
    """Take a worker's reports in their order."""
    worker = turn.state.workers.get(event.wallet)
    if worker is None or worker.session != event.session:
        return
    worker.last_seen = turn.now
    for update in event.updates:
        if update.sequence <= worker.last_sequence:
            _answer_again(turn, event.wallet, event.session, update)
            continue
        worker.last_sequence = update.sequence
        waiting = turn.state.parked.get((update.task_id, event.wallet))
        if waiting is not None and len(waiting.updates) >= _MOST_WAITING:
            _refuse(turn, event.wallet, event.session, update, _UNPROVEN)
        elif waiting is not None:
            waiting.updates.append(_without_logs(update))
        else:
            _take(turn, event.wallet, event.session, update)


def _answer_again(turn: Turn, wallet: str, session: str, update: Update) -> None:
    waiting = turn.state.parked.get((update.task_id, wallet))
    if waiting is not None and any(u.sequence == update.sequence for u in waiting.updates):
        return
    reason = turn.state.refusals.get(wallet, {}).get(update.sequence)
    if reason is None:
        _answer(turn, wallet, session, update, UpdateOutcome.ALREADY_KNOWN, Action.WAIT)
    else:
        _answer(turn, wallet, session, update, UpdateOutcome.REFUSED, Action.ABORT, reason)


def _answer(
    turn: Turn,
    wallet: str,
    session: str,
    update: Update,
    outcome: UpdateOutcome,
    action: Action,
    reason: str = "",
) -> None:
    message = _EXPLANATIONS.get(reason, "")
    turn.effects.append(AnswerUpdate(wallet, session, update.sequence, outcome, action, reason, message))


def _refuse(turn: Turn, wallet: str, session: str, update: Update, reason: str) -> None:
    kept = turn.state.refusals.setdefault(wallet, {})
    kept[update.sequence] = reason
    if len(kept) > _LOG_LIMIT:
        del kept[next(iter(kept))]
    _answer(turn, wallet, session, update, UpdateOutcome.REFUSED, Action.ABORT, reason)


def _take(turn: Turn, wallet: str, session: str, update: Update) -> bool:
    """Decide on one report; return False when it waits for a proof."""
    task = turn.state.tasks.get(update.task_id)
    replicate = task.replicates.get(wallet) if task is not None else None
    if task is None or replicate is None:
        _refuse(turn, wallet, session, update, _UNKNOWN)
        return True
    status = update.status
    verdict = judge(replicate, status)
    if verdict is Verdict.ALREADY_REPORTED:
        _answer(turn, wallet, session, update, UpdateOutcome.ALREADY_KNOWN, Action.WAIT)
        return True
    provable = is_provable(replicate, status)
    # The tables let any status follow an interlude, but a result is taken only from who revealed on chain.
    is_stranger = status in _UPLOADS and not replicate.ever(_R.REVEALED)
    illegal = verdict is not Verdict.LEGAL and not provable
    if status in SCHEDULER_REPLICATE_STATUSES or illegal or is_stranger:
        _refuse(turn, wallet, session, update, _ILLEGAL)
        return True
    provable_only = status in _BY_CHAIN or (status in _BY_PROXY and uploads.lies_in_proxy(task))
    if provable_only and task.ended:
        # The end settled what the chain knows; nothing more is asked of it.
        _refuse(turn, wallet, session, update, _UNPROVEN)
        return True
    if provable_only:
        _park(turn, task, wallet, session, update)
        return False
    if status is _R.RESULT_UPLOADED and not _has_result(task, update):
        _refuse(turn, wallet, session, update, _UNPROVEN)
        return True
    modifier = Modifier.WORKER if verdict is Verdict.LEGAL else Modifier.POOL_MANAGER
    _accept(turn, task, replicate, session, update, modifier)
    return True


def _has_result(task: Task, update: Update) -> bool:
    """Tell whether a delivered result can be finalized: a callback needs its data, everything else its link."""
    details = update.details
    return bool(details.callback_data if uploads.has_callback(task) else details.result_link)


def _park(turn: Turn, task: Task, wallet: str, session: str, update: Update) -> None:
    key = (task.task_id, wallet)
    known = turn.state.parked.get(key)
    queue = known.updates if known is not None else deque((_without_logs(update),))
    until = turn.now + turn.state.policy.proof_timeout_s
    turn.state.parked[key] = Parked(session, queue, turn.now, until)
    turn.state.timers.set(Alarm.PROOF, task.task_id, turn.now + turn.state.policy.retry_s)
    ask_proof(turn, task, update.status)


def _without_logs(update: Update) -> Update:
    """Return an update that may wait: what an app printed came before, and would fill the memory if it were kept."""
    return update._replace(details=replace(update.details, stdout="", stderr=""))


def ask_proof(turn: Turn, task: Task, status: ReplicateStatus) -> None:
    """Ask whoever knows whether a reported status is true."""
    if status in _BY_CHAIN:
        turn.read(task)
    else:
        uploads.check(turn, task)


def _accept(
    turn: Turn,
    task: Task,
    replicate: Replicate,
    session: str,
    update: Update,
    modifier: Modifier,
) -> None:
    status, details = update.status, update.details
    fields: dict[str, object] = {}
    if status is _R.COMPUTED or status is _R.COMPUTE_FAILED:
        if details.exit_code is not None:
            fields["exit_code"] = details.exit_code
        wanted = status is _R.COMPUTED or details.cause is ReplicateStatusCause.APP_COMPUTE_FAILED
        if wanted and not replicate.logs_present and (details.stdout or details.stderr):
            turn.writes.append(LogsKept(task.task_id, replicate.wallet, details.stdout, details.stderr))
            fields["logs_present"] = True
    elif status is _R.RESULT_UPLOADED:
        fields["result_link"] = details.result_link
        fields["callback_data"] = details.callback_data
    receipt = None
    if status in _BY_CHAIN and details.receipt is not None:
        receipt = Receipt(0, details.receipt.transaction)
    turn.move_replicate(replicate, status, modifier, details.cause, receipt, **fields)
    action = next_action(status, details.cause, is_caf_eligible(task))
    _answer(turn, replicate.wallet, session, update, UpdateOutcome.ACCEPTED, action)
    failures.consider(turn, task, replicate, status, details.cause)


def release(turn: Turn, task_id: str, wallet: str) -> None:
    """Take up waiting reports again, after something was proven: what is known now is answered so."""
    waiting = turn.state.parked.get((task_id, wallet))
    task = turn.state.tasks.get(task_id)
    if waiting is None or task is None:
        return
    if not _is_open_to(task.replicates[wallet], waiting.updates[0].status):
        _go_on(turn, task_id, wallet, waiting)


def _is_open_to(replicate: Replicate, status: ReplicateStatus) -> bool:
    """Tell whether a status may still be recorded, if it is proven."""
    return judge(replicate, status) is Verdict.LEGAL or is_provable(replicate, status)


def _go_on(turn: Turn, task_id: str, wallet: str, waiting: Parked) -> None:
    del turn.state.parked[task_id, wallet]
    queue = waiting.updates
    while queue:
        update = queue[0]
        if not _take(turn, wallet, waiting.session, update):
            turn.state.parked[task_id, wallet].updates = queue
            return
        queue.popleft()


def confirm(turn: Turn, task: Task, replicate: Replicate) -> None:
    """The first waiting report of a replicate is true: accept it and go on with those behind it."""
    waiting = turn.state.parked[task.task_id, replicate.wallet]
    update = waiting.updates[0]
    is_legal = judge(replicate, update.status) is Verdict.LEGAL
    modifier = Modifier.WORKER if is_legal else Modifier.POOL_MANAGER
    _accept(turn, task, replicate, waiting.session, update, modifier)
    _pop(turn, task.task_id, replicate.wallet, waiting)


def refuse_first(turn: Turn, task_id: str, wallet: str) -> None:
    """The first waiting report of a replicate is not true: refuse it and go on with those behind it."""
    waiting = turn.state.parked[task_id, wallet]
    _refuse(turn, wallet, waiting.session, waiting.updates[0], _UNPROVEN)
    _pop(turn, task_id, wallet, waiting)


def _pop(turn: Turn, task_id: str, wallet: str, waiting: Parked) -> None:
    waiting.updates.popleft()
    if waiting.updates:
        _go_on(turn, task_id, wallet, waiting)
    else:
        del turn.state.parked[task_id, wallet]


def proof_by_chain(
    turn: Turn, task: Task, replicate: Replicate, proven: frozenset[ReplicateStatus], asked_at: float
) -> None:
    """Settle a waiting report with what a read of the chain proved about the replicate.

    Only the chain itself refuses: while it cannot be read, however long, what may be true is not called a lie.
    """
    waiting = turn.state.parked.get((task.task_id, replicate.wallet))
    if waiting is None:
        return
    status = waiting.updates[0].status
    if status in proven and replicate.weight > 0 and _is_open_to(replicate, status):
        confirm(turn, task, replicate)
        chain_evidence.succeeded(turn, replicate)
    elif status in _BY_CHAIN and status not in proven and asked_at >= waiting.until:
        refuse_first(turn, task.task_id, replicate.wallet)
    else:
        release(turn, task.task_id, replicate.wallet)


def unproven(turn: Turn, replicate: Replicate, asked_at: float) -> ReplicateStatus | None:
    """Return, once, what a worker reported of the chain and a read asked some time later still does not show.

    Most likely a reorganisation took his transaction back, maybe before its block was followed; or the node lags.
    """
    waiting = turn.state.parked.get((replicate.task_id, replicate.wallet))
    if waiting is None or waiting.asked_again or waiting.updates[0].status not in _BY_CHAIN:
        return None
    if asked_at < waiting.since + turn.state.policy.retry_s:
        return None
    waiting.asked_again = True
    return waiting.updates[0].status


def proof_by_proxy(turn: Turn, task: Task, is_stored: bool) -> None:
    """Settle the waiting upload reports of a task with the proxy's answer."""
    for wallet in list(task.replicates):
        waiting = turn.state.parked.get((task.task_id, wallet))
        if waiting is None or waiting.updates[0].status not in _BY_PROXY:
            continue
        update = waiting.updates[0]
        delivered = update.status is _R.RESULT_UPLOADED
        is_true = delivered is is_stored and (not delivered or _has_result(task, update))
        if is_true and _is_open_to(task.replicates[wallet], update.status):
            confirm(turn, task, task.replicates[wallet])
        else:
            refuse_first(turn, task.task_id, wallet)


def proof_overdue(turn: Turn, task: Task) -> None:
    """Ask again for what waiting reports need; refuse those that the proxy had time enough to prove."""
    statuses = set()
    for wallet in list(task.replicates):
        waiting = turn.state.parked.get((task.task_id, wallet))
        if waiting is None:
            continue
        by_chain = waiting.updates[0].status in _BY_CHAIN
        if task.ended or (turn.now >= waiting.until and not by_chain):
            refuse_first(turn, task.task_id, wallet)
        else:
            statuses.add(by_chain)
    if statuses and not task.ended:
        turn.state.timers.set(Alarm.PROOF, task.task_id, turn.now + turn.state.policy.retry_s)
    if True in statuses:
        turn.read(task)
    if False in statuses:
        uploads.check(turn, task)


def drop_waiting(turn: Turn, wallet: str) -> None:
    """A session ended: what waits was not acknowledged, so the worker reports it again."""
    for task_id in turn.state.held.get(wallet, ()):
        turn.state.parked.pop((task_id, wallet), None)
    turn.state.refusals.pop(wallet, None)
