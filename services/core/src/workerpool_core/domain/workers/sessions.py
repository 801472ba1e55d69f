"""Sessions of workers: opened by a Hello, replaced by a newer one, closed with their stream (core spec §3)."""

from workerpool_core.domain import transitions
from workerpool_core.domain.decisions import CloseSession, CommandRemoved, SendDrain, Welcome
from workerpool_core.domain.dispatch import assignment_timeouts, satisfiability
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import (
    CommandAcknowledged,
    WeightsRead,
    WorkerConnected,
    WorkerDisconnected,
    WorkerParked,
)
from workerpool_core.domain.live import LiveWorker, WorkerSession
from workerpool_core.domain.model import Worker
from workerpool_core.domain.timers import Timeout
from workerpool_core.domain.workers import capacity, liveness, session_resume

_DAY_MS = 86_400_000


def connected(context: EventContext, event: WorkerConnected) -> None:
    """Open a session: send Welcome, resend unacknowledged commands, resume the worker's replicates."""
    state, model = context.state, event.model
    required = state.policy.required_worker_version
    if required and model.version != required:
        message = f"this pool requires worker version {required}, not {model.version}: update the worker"
        context.effects.append(CloseSession(event.wallet, event.session, "BAD_VERSION", message))
        return
    live = state.workers.get(event.wallet)
    if live is None:
        live = LiveWorker(Worker(event.wallet, model, registered_at=context.now, last_seen=context.now))
        state.workers[event.wallet] = live
        must_save = True
    else:
        must_save = live.worker.lost or live.worker.model != model
        _replace_session(context, live, event)
    worker = live.worker
    worker.last_seen = context.now
    live.session = WorkerSession(event.session, opened_at=context.now)
    live.parked_reason, live.away_until = event.parked_reason, 0.0
    capacity.update(context, live)
    assignment_timeouts.connected(context, live)
    _raise_command_sequence(context, live, event)
    state.timers.set(Timeout.LIVENESS, worker.wallet, context.now + state.policy.liveness_s)
    position = len(context.effects)
    dropped = session_resume.resume(context, live, event.held)
    context.effects.insert(position, Welcome(worker.wallet, event.session, dropped))
    # Accept the worker while the chain is down; assign work once its weight is known.
    context.read_weight(worker.wallet)
    if must_save:
        satisfiability.workers_changed(context)
    if worker.lost:
        liveness.returned(context, live)
    if must_save:
        transitions.save_worker(context, worker)
    if not state.is_admitted(worker.wallet):
        context.effects.append(SendDrain(worker.wallet, float("inf")))
    elif worker.drained_until > context.now:
        context.effects.append(SendDrain(worker.wallet, worker.drained_until))
    context.workers_to_match[worker.wallet] = None


def _replace_session(context: EventContext, live: LiveWorker, event: WorkerConnected) -> None:
    """Close an older session of a worker, and store its new model."""
    worker = live.worker
    if live.session is not None and live.session.id != event.session:
        message = "this wallet opened another stream"
        context.effects.append(CloseSession(worker.wallet, live.session.id, "REPLACED", message))
    liveness.close_session(context, live)
    if worker.model != event.model:
        context.state.free.remove(worker.wallet)
        live.searched_version = None
        worker.model = event.model


def _raise_command_sequence(context: EventContext, live: LiveWorker, event: WorkerConnected) -> None:
    """Keep new sequences above those that the worker has taken.

    A sequence that the worker claims counts up to one day ahead of the clock.
    """
    bound = int(context.now * 1000) + _DAY_MS
    taken = [min(held.last_command_sequence, bound) for held in event.held]
    live.last_command_sequence = max([live.last_command_sequence, *live.commands, *taken])


def parked(context: EventContext, event: WorkerParked) -> None:
    """Record that a worker refuses new work, or takes it again."""
    live = context.state.workers.get(event.wallet)
    if live is None or live.session is None or live.session.id != event.session:
        return
    if bool(live.parked_reason) is not bool(event.reason):
        satisfiability.workers_changed(context)
        transitions.match_worker(context, event.wallet)
    live.parked_reason = event.reason


def whitelist_changed(context: EventContext, wallets: frozenset[str]) -> None:
    """Assign work to the wallets of a new whitelist only; a removed worker finishes its current tasks."""
    state = context.state
    for wallet, live in state.workers.items():
        was_admitted = state.is_admitted(wallet)
        admitted = not wallets or wallet in wallets
        if admitted is not was_admitted:
            transitions.match_worker(context, wallet)
            if not admitted and live.session is not None:
                context.effects.append(SendDrain(wallet, float("inf")))
    state.whitelist = wallets


def disconnected(context: EventContext, event: WorkerDisconnected) -> None:
    """Close a session. The worker keeps its replicates during the liveness window."""
    live = context.state.workers.get(event.wallet)
    if live is not None and live.session is not None and live.session.id == event.session:
        liveness.close_session(context, live)
        context.workers_to_match[event.wallet] = None


def weights_read(context: EventContext, event: WeightsRead) -> None:
    """Record contribution weights and stakes; a worker gets work while its weight is positive."""
    for wallet, stake in event.stakes:
        if (live := context.state.workers.get(wallet)) is not None:
            if (stake > 0) is not live.has_stake:
                context.state.free.remove(wallet)
            live.stake, live.lacks_stake, live.searched_version = stake, False, None
            context.workers_to_match[wallet] = None
    for wallet, weight in event.weights:
        if (live := context.state.workers.get(wallet)) is not None:
            if live.weight != weight:
                live.weight = weight
                satisfiability.workers_changed(context)
            context.workers_to_match[wallet] = None


def acknowledged(context: EventContext, event: CommandAcknowledged) -> None:
    """Remove a command that is in its worker's journal, so that it is not sent again."""
    live = context.state.workers.get(event.wallet)
    if live is None:
        return
    assignment_timeouts.heard(context, live)
    if live.commands.pop(event.sequence, None) is not None:
        context.writes.append(CommandRemoved(event.wallet, event.sequence))
