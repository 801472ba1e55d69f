"""The decision on one status update of a worker: accept it, refuse it, or wait for a proof (core spec §2.5, §2.6).

An update that the chain or the result proxy can prove is verified, not trusted. Block numbers from workers are
ignored.
"""

from workerpool_kit import reasons
from workerpool_poco.protocol.ids import from_hex, to_hex
from workerpool_poco.protocol.results import callback_digest, result_hash
from workerpool_poco.protocol.statuses import SCHEDULER_REPLICATE_STATUSES, ReplicateStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.blame import is_error_result
from workerpool_core.domain.decisions import LogsStored
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import Update
from workerpool_core.domain.model import Modifier, Receipt, Replicate, Task
from workerpool_core.domain.replicates import answers, uploads
from workerpool_core.domain.replicates.consensus_forecast import is_caf_eligible
from workerpool_core.domain.replicates.failures import OUTCOMES
from workerpool_core.domain.replicates.replicate_machine import Verdict, is_provable, judge, next_action
from workerpool_core.domain.workers import quarantine

_R = ReplicateStatus
PROVEN_BY_CHAIN = frozenset({_R.CONTRIBUTED, _R.REVEALED, _R.CONTRIBUTE_AND_FINALIZE_DONE})
PROVEN_BY_PROXY = frozenset({_R.RESULT_UPLOADED, _R.RESULT_UPLOAD_FAILED})
_UPLOADS = PROVEN_BY_PROXY | {_R.RESULT_UPLOADING}


def decide(context: EventContext, wallet: str, session_id: str, update: Update) -> bool:
    """Accept or refuse an update; return False, without answering, when it must wait for a proof."""
    live = context.state.tasks.get(update.task_id)
    replicate = live.task.replicates.get(wallet) if live is not None else None
    if live is None or replicate is None:
        answers.refuse(context, wallet, session_id, update, reasons.UNKNOWN_REPLICATE)
        return True
    task, status = live.task, update.status
    verdict = judge(replicate, status)
    if verdict is Verdict.ALREADY_REPORTED:
        answers.already_known(context, wallet, session_id, update)
        return True
    # The tables allow any status after an interlude, but only a worker that revealed on chain may deliver a result.
    never_revealed = status in _UPLOADS and not replicate.has_reached(_R.REVEALED)
    illegal = verdict is not Verdict.LEGAL and not is_provable(replicate, status)
    if status in SCHEDULER_REPLICATE_STATUSES or illegal or never_revealed:
        answers.refuse(context, wallet, session_id, update, answers.ILLEGAL)
        return True
    if status in PROVEN_BY_CHAIN or (status in PROVEN_BY_PROXY and uploads.goes_to_proxy(task)):
        if not task.ended:
            return False
        # Ended tasks are not read: what the chain can prove was settled when the task ended.
        answers.refuse(context, wallet, session_id, update, answers.UNPROVEN)
        return True
    if status is _R.RESULT_UPLOADED and not has_result(task, update):
        answers.refuse(context, wallet, session_id, update, answers.UNPROVEN)
        return True
    accept(context, task, replicate, session_id, update, verdict)
    return True


def has_result(task: Task, update: Update) -> bool:
    """Return whether a delivered result can be finalized: it needs callback data for a callback, else a link.

    The consensus proves callback data, because it covers their digest. The callback data of an error result are empty.
    """
    details = update.details
    if not uploads.has_callback(task):
        return bool(details.result_link)
    digest = callback_digest(from_hex(details.callback_data))
    return task.consensus == to_hex(result_hash(task.task_id, digest))


def accept(
    context: EventContext,
    task: Task,
    replicate: Replicate,
    session_id: str,
    update: Update,
    verdict: Verdict,
) -> None:
    """Store an update, answer it, and count a failure.

    The worker is the author of the change, unless only a proof makes the transition legal.
    """
    status, details = update.status, update.details
    modifier = Modifier.WORKER if verdict is Verdict.LEGAL else Modifier.POOL_MANAGER
    fields: dict[str, object] = {}
    if status in OUTCOMES or status is _R.COMPUTE_FAILED:
        if details.exit_code is not None:
            fields["exit_code"] = details.exit_code
        has_app_output = status is not _R.COMPUTE_FAILED or is_error_result(details.cause)
        if has_app_output and not replicate.logs_present and (details.stdout or details.stderr):
            context.writes.append(LogsStored(task.task_id, replicate.wallet, details.stdout, details.stderr))
            fields["logs_present"] = True
    elif status is _R.RESULT_UPLOADED:
        fields["result_link"] = details.result_link
        fields["callback_data"] = details.callback_data
    receipt = None
    if status in PROVEN_BY_CHAIN and details.receipt is not None:
        receipt = Receipt(0, details.receipt.transaction)
    transitions.move_replicate(
        context, replicate, status, modifier, details.cause, receipt, details.error_message, **fields
    )
    if details.cause is not None and status in OUTCOMES:
        # Another worker may be needed, or the error result can be decided on.
        context.tasks_to_match[task.task_id] = None
        context.tasks_to_advance[task.task_id] = None
    caf_eligible = status is _R.COMPUTED and is_caf_eligible(task)
    action = next_action(status, details.cause, caf_eligible)
    answers.accept(context, replicate.wallet, session_id, update, action)
    quarantine.count_failure(context, task, replicate, status, details.cause)
