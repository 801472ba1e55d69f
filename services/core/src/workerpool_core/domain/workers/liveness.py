"""Liveness of workers: heartbeats, and the loss of a worker that sends none for too long (core spec §3.7)."""

from workerpool_poco.protocol.statuses import ReplicateStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.decisions import CloseSession
from workerpool_core.domain.dispatch import satisfiability
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import HeartbeatsReceived, WorkerLeft
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.replicates import pending_reports
from workerpool_core.domain.timers import Timeout
from workerpool_core.domain.workers import capacity


def heartbeats(context: EventContext, event: HeartbeatsReceived) -> None:
    """Record heartbeats; those of closed sessions are ignored."""
    workers = context.state.workers
    for wallet, session_id in event.beats:
        live = workers.get(wallet)
        if live is not None and live.session is not None and live.session.id == session_id:
            live.worker.last_seen = context.now


def check(context: EventContext, wallet: str) -> None:
    """Declare a worker lost that was silent for the whole liveness window since core started."""
    state = context.state
    live = state.workers[wallet]
    worker = live.worker
    if worker.lost:
        return
    end = max(max(worker.last_seen, state.started_at) + state.policy.liveness_s, live.away_until)
    if context.now < end:
        state.timers.set(Timeout.LIVENESS, wallet, end)
        return
    if live.session is not None:
        message = "no heartbeat for too long: connect again"
        context.effects.append(CloseSession(wallet, live.session.id, "HEARTBEAT_MISSED", message, 0.0))
        close_session(context, live)
    _lose(context, live)


def left(context: EventContext, event: WorkerLeft) -> None:
    """Close the session of a worker whose process ends; it is lost at once, or unless it returns in time."""
    live = context.state.workers.get(event.wallet)
    if live is None or live.session is None or live.session.id != event.session:
        return
    context.effects.append(
        CloseSession(event.wallet, event.session, "LEFT", "the worker announced that it leaves", 0.0)
    )
    close_session(context, live)
    context.workers_to_match[event.wallet] = None
    live.worker.last_seen = context.now
    if event.return_within_s > 0:
        live.away_until = context.now + min(event.return_within_s, context.state.policy.max_absence_s)
        context.state.timers.set(Timeout.LIVENESS, event.wallet, live.away_until)
    else:
        live.away_until = 0.0
        _lose(context, live)


def _lose(context: EventContext, live: LiveWorker) -> None:
    """Declare a worker lost, with its unfinished replicates."""
    state, worker, wallet = context.state, live.worker, live.worker.wallet
    worker.lost = True
    satisfiability.workers_changed(context)
    transitions.save_worker(context, worker)
    for task_id in sorted(live.held):
        task = state.tasks[task_id].task
        replicate = task.replicates[wallet]
        context.tasks_to_match[task_id] = None
        context.tasks_to_advance[task_id] = None
        expired = task.ended or context.now >= task.terms.final_deadline
        if not expired and not replicate.has_reached(ReplicateStatus.WORKER_LOST):
            transitions.move_replicate(context, replicate, ReplicateStatus.WORKER_LOST)


def returned(context: EventContext, live: LiveWorker) -> None:
    """Record that a lost worker reconnected."""
    live.worker.lost = False
    for task_id in live.held:
        context.tasks_to_match[task_id] = None
        context.tasks_to_advance[task_id] = None


def close_session(context: EventContext, live: LiveWorker) -> None:
    """Drop a worker's session and its pending reports."""
    live.session = None
    live.parked_reason = ""
    capacity.update(context, live)
    pending_reports.drop_pending(context, live.worker.wallet)
