"""Answers to the status updates of workers (core spec §2.5)."""

from workerpool_kit import reasons

from workerpool_core.domain.decisions import AnswerUpdate, UpdateOutcome
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import Update
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Action
from workerpool_core.domain.replicates.replicate_machine import Verdict

UNPROVEN = "GENERIC_CANT_UPDATE"
ILLEGAL = Verdict.BAD_WORKFLOW_TRANSITION.value
_EXPLANATIONS = {
    reasons.UNKNOWN_REPLICATE: "the pool has no replicate of this worker for this task: drop it",
    UNPROVEN: "neither the chain nor the result proxy confirms the report",
    ILLEGAL: "the replicate cannot enter this status from its current one",
}
_KEPT_REFUSALS = 64


def accept(context: EventContext, wallet: str, session_id: str, update: Update, action: Action) -> None:
    """Answer an update that was stored."""
    context.effects.append(AnswerUpdate(wallet, session_id, update.sequence, UpdateOutcome.ACCEPTED, action))


def already_known(context: EventContext, wallet: str, session_id: str, update: Update) -> None:
    """Answer an update whose status is already in the history."""
    _answer(context, wallet, session_id, update, UpdateOutcome.ALREADY_KNOWN, Action.WAIT)


def refuse(context: EventContext, wallet: str, session_id: str, update: Update, reason: str) -> None:
    """Refuse an update and keep the reason, so that a repetition gets the same answer."""
    session = context.state.workers[wallet].session
    if session is not None and session.id == session_id:
        session.refusals[update.sequence] = reason
        if len(session.refusals) > _KEPT_REFUSALS:
            del session.refusals[next(iter(session.refusals))]
    _answer(context, wallet, session_id, update, UpdateOutcome.REFUSED, Action.ABORT, reason)


def repeat(context: EventContext, worker: LiveWorker, session_id: str, update: Update) -> None:
    """Answer a repeated update as before: with its refusal, or as already known."""
    wallet = worker.worker.wallet
    reason = worker.session.refusals.get(update.sequence) if worker.session is not None else None
    if reason is None:
        already_known(context, wallet, session_id, update)
    else:
        _answer(context, wallet, session_id, update, UpdateOutcome.REFUSED, Action.ABORT, reason)


def _answer(
    context: EventContext,
    wallet: str,
    session_id: str,
    update: Update,
    outcome: UpdateOutcome,
    action: Action,
    reason: str = "",
) -> None:
    message = _EXPLANATIONS.get(reason, "")
    context.effects.append(
        AnswerUpdate(wallet, session_id, update.sequence, outcome, action, reason, message)
    )
