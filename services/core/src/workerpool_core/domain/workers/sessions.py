"""Workers come, go, fall silent, and are sent to rest."""

from workerpool_poco.protocol.statuses import ReplicateStatus

from workerpool_core.domain.decisions import CloseSession, CommandDone, SendDrain, Welcome
from workerpool_core.domain.event_context import Turn
from workerpool_core.domain.events import (
    CommandAcked,
    WorkerConnected,
    WorkerDisconnected,
    WorkerDrained,
    WorkersBeat,
    WorkersWeighed,
)
from workerpool_core.domain.model import Worker
from workerpool_core.domain.replicates import reports
from workerpool_core.domain.timers import Alarm
from workerpool_core.domain.workers import quarantine, session_resume

_DAY_MS = 86_400_000


def connected(turn: Turn, event: WorkerConnected) -> None:
    """Open a session: welcome the worker, send what he did not acknowledge, resume what he holds."""
    state = turn.state
    required = state.policy.required_worker_version
    if required and event.model.version != required:
        message = f"this pool wants version {required}, not {event.model.version}: update the worker"
        turn.effects.append(CloseSession(event.wallet, event.session, "BAD_VERSION", message))
        return
    worker = state.workers.get(event.wallet)
    if worker is None:
        worker = Worker(event.wallet, event.model, registered_at=turn.now, last_seen=turn.now)
        state.workers[event.wallet] = worker
        is_news = True
    else:
        is_news = worker.lost or worker.model != event.model
        if worker.session and worker.session != event.session:
            message = "this wallet opened another stream"
            turn.effects.append(CloseSession(worker.wallet, worker.session, "REPLACED", message))
        reports.drop_waiting(turn, worker.wallet)
    if worker.model != event.model:
        state.free.remove(worker.wallet)
        state.fruitless.pop(worker.wallet, None)
    worker.model = event.model
    worker.session = event.session
    worker.last_seen = turn.now
    worker.last_sequence = 0
    _raise_floor(turn, worker, event)
    state.timers.set(Alarm.LIVENESS, worker.wallet, turn.now + state.policy.liveness_s)
    place = len(turn.effects)
    dropped = session_resume.resume(turn, worker, event.held)
    turn.effects.insert(place, Welcome(worker.wallet, worker.session, dropped))
    # He is welcome while the chain is away; new work he gets once his weight is known.
    turn.weigh(worker.wallet)
    if worker.lost:
        worker.lost = False
        for task_id in state.held.get(worker.wallet, ()):
            turn.reshelve[task_id] = None
            turn.touched[task_id] = None
    if is_news:
        turn.save_worker(worker)
    if worker.drained_until > turn.now:
        turn.effects.append(SendDrain(worker.wallet, worker.drained_until))
    turn.recount[worker.wallet] = None


def _raise_floor(turn: Turn, worker: Worker, event: WorkerConnected) -> None:
    """Let new commands have higher sequences than any the worker took; a wild claim of his is bounded."""
    bound = int(turn.now * 1000) + _DAY_MS
    taken = [min(held.last_command_sequence, bound) for held in event.held]
    known = turn.state.command_floor.get(worker.wallet, 0)
    turn.state.command_floor[worker.wallet] = max([known, *worker.pending, *taken])


def _speaks(turn: Turn, wallet: str, session: str) -> Worker | None:
    """Return the worker if the session is his present one."""
    worker = turn.state.workers.get(wallet)
    return worker if worker is not None and worker.session == session else None


def weighed(turn: Turn, event: WorkersWeighed) -> None:
    """Take note of weights; a worker is given work from the first on that is more than 0."""
    turn.state.weights.update(event.weights)
    turn.recount.update(dict.fromkeys(wallet for wallet, _ in event.weights))


def beat(turn: Turn, event: WorkersBeat) -> None:
    """Take note of signs of life."""
    for wallet, session in event.beats:
        if (worker := _speaks(turn, wallet, session)) is not None:
            worker.last_seen = turn.now


def disconnected(turn: Turn, event: WorkerDisconnected) -> None:
    """Close a session. The worker keeps what he holds for the liveness window."""
    if (worker := _speaks(turn, event.wallet, event.session)) is not None:
        worker.session = ""
        reports.drop_waiting(turn, worker.wallet)
        turn.recount[worker.wallet] = None


def acked(turn: Turn, event: CommandAcked) -> None:
    """A command is in its worker's journal; it is not sent again."""
    worker = turn.state.workers.get(event.wallet)
    if worker is not None and worker.pending.pop(event.sequence, None) is not None:
        turn.writes.append(CommandDone(event.wallet, event.sequence))


def check_liveness(turn: Turn, wallet: str) -> None:
    """Declare a worker lost if he was silent for the whole window; since a restart at the earliest."""
    state = turn.state
    worker = state.workers[wallet]
    end = max(worker.last_seen, state.started_at) + state.policy.liveness_s
    if worker.lost:
        return
    if turn.now < end:
        state.timers.set(Alarm.LIVENESS, wallet, end)
        return
    worker.lost = True
    if worker.session:
        message = "no sign of life for too long; connect again"
        turn.effects.append(CloseSession(wallet, worker.session, "HEARTBEAT_MISSED", message, 0.0))
        worker.session = ""
        reports.drop_waiting(turn, wallet)
    turn.save_worker(worker)
    for task_id in sorted(state.held.get(wallet, ())):
        task = state.tasks[task_id]
        replicate = task.replicates[wallet]
        turn.reshelve[task_id] = None
        turn.touched[task_id] = None
        expired = task.ended or turn.now >= task.terms.final_deadline
        if not expired and not replicate.ever(ReplicateStatus.WORKER_LOST):
            turn.move_replicate(replicate, ReplicateStatus.WORKER_LOST)


def drained(turn: Turn, event: WorkerDrained) -> None:
    """Give a worker no more work until a time."""
    worker = turn.state.workers.get(event.wallet)
    if worker is not None:
        worker.drained_until = event.until
        turn.save_worker(worker)
        quarantine.arm(turn, worker)
        if worker.session:
            turn.effects.append(SendDrain(worker.wallet, event.until))


def undrained(turn: Turn, wallet: str) -> None:
    """Give a worker work again."""
    worker = turn.state.workers.get(wallet)
    if worker is not None:
        worker.drained_until = 0.0
        turn.save_worker(worker)


def released(turn: Turn, wallet: str) -> None:
    """End a quarantine and forget the failures that led to it."""
    worker = turn.state.workers.get(wallet)
    if worker is not None:
        worker.quarantined_until = 0.0
        worker.consecutive_failures = 0
        turn.save_worker(worker)
