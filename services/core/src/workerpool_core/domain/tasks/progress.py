"""What a task does next, given all that is known of it. Looked at again after every change: level, not edge."""

from workerpool_poco.protocol.statuses import RUNNING_REPLICATE_STATUSES, ReplicateStatus, TaskStatus

from workerpool_core.domain.dispatch.supply import ability_of, need_of, needs_enclave
from workerpool_core.domain.event_context import Turn
from workerpool_core.domain.events import TransactionKind
from workerpool_core.domain.model import Task
from workerpool_core.domain.replicates import uploads
from workerpool_core.domain.replicates.consensus_forecast import at_dead_end
from workerpool_core.domain.tasks import completion, initialization

_FAILED_BEFORE_COMPUTED = (
    ReplicateStatus.START_FAILED,
    ReplicateStatus.APP_DOWNLOAD_FAILED,
    ReplicateStatus.DATA_DOWNLOAD_FAILED,
    ReplicateStatus.COMPUTE_FAILED,
)


def advance(turn: Turn, task: Task) -> None:
    """Take every step that is due."""
    while not task.ended:
        before = task.status
        _step(turn, task)
        if task.status is before:
            return


def _step(turn: Turn, task: Task) -> None:
    match task.status:
        case TaskStatus.RECEIVED:
            initialization.initialize(turn, task)
        case TaskStatus.INITIALIZED:
            if any(r.last_relevant in RUNNING_REPLICATE_STATUSES for r in task.replicates.values()):
                turn.move_task(task, TaskStatus.RUNNING)
        case TaskStatus.RUNNING:
            if needs_enclave(task.terms.tag) and nobody_can_run(turn, task):
                completion.fail_unless_chain_knows_better(turn, task, TaskStatus.RUNNING_FAILED)
        case TaskStatus.CONSENSUS_REACHED:
            if reveals(task):
                turn.move_task(task, TaskStatus.AT_LEAST_ONE_REVEALED)
        case TaskStatus.AT_LEAST_ONE_REVEALED | TaskStatus.RESULT_UPLOADING:
            uploads.advance(turn, task)
        case TaskStatus.RESULT_UPLOADED:
            if is_finalizable(task, turn.now):
                turn.move_task(task, TaskStatus.FINALIZING)
                turn.request(TransactionKind.FINALIZE, task)
        case TaskStatus.REOPENED:
            turn.move_task(task, TaskStatus.INITIALIZED)
        case TaskStatus.FINALIZED:
            turn.move_task(task, TaskStatus.COMPLETED)


def reveals(task: Task) -> int:
    """Return how many replicates revealed on chain."""
    return sum(replicate.ever(ReplicateStatus.REVEALED) for replicate in task.replicates.values())


def is_finalizable(task: Task, now: float) -> bool:
    """Tell whether the contract accepts finalize: all winners revealed, or some did and the time is up."""
    if now >= task.terms.final_deadline:
        return False
    revealed = reveals(task)
    return revealed >= task.winner_count > 0 or (revealed > 0 and now >= task.reveal_deadline)


def nobody_can_run(turn: Turn, task: Task) -> bool:
    """Tell whether every living worker with the task's hardware tried it and failed before it had computed.

    Without such a worker the answer is no: one may come.
    """
    need = need_of(task.terms.tag)
    able = [w for w in turn.state.workers.values() if not w.lost and ability_of(w.model).can(need)]
    if not able:
        return False
    for worker in able:
        replicate = task.replicates.get(worker.wallet)
        if replicate is None or replicate.contribution_hash or not at_dead_end(replicate):
            # A download that failed for the requester's own reasons is contributed as the result.
            return False
        if not any(map(replicate.ever, _FAILED_BEFORE_COMPUTED)):
            return False
    return True
