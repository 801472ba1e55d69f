"""Status reports of workers, in order; updates of a replicate queue behind one that awaits a proof."""

from workerpool_core.domain.dispatch import assignment_timeouts
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import StatusReported
from workerpool_core.domain.replicates import acceptance, answers, pending_reports

_QUEUE_LIMIT = 16
"""Updates that may wait for one replicate; the protocol has at most eight after a contribution.

Each may carry 65,538 characters of callback data.
"""


def reported(context: EventContext, event: StatusReported) -> None:
    """Handle the updates of one report."""
    worker = context.state.workers.get(event.wallet)
    if worker is None or worker.session is None or worker.session.id != event.session:
        return
    session = worker.session
    worker.worker.last_seen = context.now
    assignment_timeouts.heard(context, worker)
    tasks = context.state.tasks
    for update in event.updates:
        live = tasks.get(update.task_id)
        pending = None if live is None else live.pending_reports.get(event.wallet)
        if update.sequence <= session.last_sequence:
            if pending is None or all(u.sequence != update.sequence for u in pending.updates):
                answers.repeat(context, worker, event.session, update)
            continue
        session.last_sequence = update.sequence
        if pending is not None and len(pending.updates) >= _QUEUE_LIMIT:
            answers.refuse(context, event.wallet, event.session, update, answers.UNPROVEN)
        elif pending is not None:
            pending.updates.append(pending_reports.without_logs(update))
        elif not acceptance.decide(context, event.wallet, event.session, update):
            pending_reports.await_proof(context, event.wallet, event.session, update)
