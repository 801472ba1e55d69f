"""What happens when a deadline passes."""

from workerpool_poco.protocol.statuses import (
    WAITING_CONTRIBUTION_TASK_STATUSES,
    WAITING_REVEAL_TASK_STATUSES,
    ReplicateStatus,
)

from workerpool_core.domain.decisions import Assign
from workerpool_core.domain.event_context import Turn
from workerpool_core.domain.model import Task
from workerpool_core.domain.replicates import reports, uploads
from workerpool_core.domain.tasks import completion, retries
from workerpool_core.domain.timers import Alarm, Key
from workerpool_core.domain.workers import quarantine, sessions


def ring(turn: Turn, key: Key) -> None:
    """Act on one alarm."""
    alarm, subject, wallet = key
    match alarm:
        case Alarm.LIVENESS:
            sessions.check_liveness(turn, subject)
        case Alarm.PAUSE_ENDS:
            quarantine.ended(turn, subject)
        case Alarm.FORGET:
            completion.forget(turn, subject)
        case _:
            task = turn.state.tasks.get(subject)
            if task is not None:
                _of_task(turn, alarm, task, wallet)


def _of_task(turn: Turn, alarm: Alarm, task: Task, wallet: str) -> None:
    match alarm:
        case Alarm.ASSIGNMENT:
            _assignment(turn, task, wallet)
        case Alarm.PENDING_STALE:
            turn.reshelve[task.task_id] = None
        case Alarm.RETRY:
            retries.pursue(turn, task)
        case Alarm.READ:
            turn.read(task)
        case Alarm.PROOF:
            reports.proof_overdue(turn, task)
        case Alarm.UPLOAD:
            uploads.overdue(turn, task)
        case Alarm.CONTRIBUTION_DEADLINE if task.status in WAITING_CONTRIBUTION_TASK_STATUSES:
            turn.reshelve[task.task_id] = None
            turn.read(task)
        case Alarm.REVEAL_DEADLINE if task.status in WAITING_REVEAL_TASK_STATUSES:
            turn.touched[task.task_id] = None
            turn.read(task)
        case Alarm.FINAL_DEADLINE if task.ended:
            completion.claim(turn, task)
        case Alarm.FINAL_DEADLINE:
            turn.read(task)


def _assignment(turn: Turn, task: Task, wallet: str) -> None:
    """Send an assignment again of which no status came."""
    replicate = task.replicates[wallet]
    if task.ended or replicate.status is not ReplicateStatus.CREATED:
        return
    turn.state.timers.set(
        Alarm.ASSIGNMENT, task.task_id, turn.now + turn.state.policy.assignment_resend_s, wallet
    )
    if turn.state.workers[wallet].session:
        turn.effects.append(Assign(wallet, task.task_id))
