"""How tasks end, what their workers are told, and when they leave the memory."""

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

from workerpool_core.domain.event_context import Turn
from workerpool_core.domain.events import TransactionKind
from workerpool_core.domain.model import Action, Receipt, Task
from workerpool_core.domain.replicates.consensus_forecast import at_dead_end
from workerpool_core.domain.tasks import task_machine
from workerpool_core.domain.timers import Alarm

_TASK_ALARMS = (
    Alarm.RETRY,
    Alarm.READ,
    Alarm.PROOF,
    Alarm.UPLOAD,
    Alarm.CONTRIBUTION_DEADLINE,
    Alarm.REVEAL_DEADLINE,
    Alarm.FINAL_DEADLINE,
)


def complete(turn: Turn, task: Task, receipt: Receipt | None, result_link: str = "") -> None:
    """Close a task that the chain completed, whatever was known of it, and tell its participants."""
    if task.ended:
        return
    for replicate in task.replicates.values():
        if not at_dead_end(replicate):
            turn.command(replicate.wallet, task.task_id, Action.COMPLETE)
    fields = {"result_link": result_link} if result_link and not task.result_link else {}
    final_block = (receipt.block if receipt else 0) or turn.state.head
    path = task_machine.path_to_completed(task.status)
    turn.move_task(task, *path, receipt=receipt, final_block=final_block, **fields)
    if task.terms.trust > 1:
        # A contributor alone neither wins nor loses score.
        turn.weigh_contributors(task)
    _rest(turn, task)


def fail(
    turn: Turn, task: Task, reason: TaskStatus, cause: ReplicateStatusCause = ReplicateStatusCause.UNKNOWN
) -> None:
    """Close a task with a reason that stands before FAILED; if it is open on chain it will be claimed."""
    if task.ended:
        return
    for replicate in task.replicates.values():
        if not at_dead_end(replicate):
            turn.command(replicate.wallet, task.task_id, Action.ABORT, cause=cause)
    open_on_chain = task.initialization_block > 0
    turn.move_task(task, reason, TaskStatus.FAILED, claim_due=open_on_chain)
    _rest(turn, task)


def fail_unless_chain_knows_better(turn: Turn, task: Task, reason: TaskStatus) -> None:
    """Read the chain first: the answer fails the task if it is still open there and nothing else helps."""
    if task.task_id not in turn.state.doomed and task.initialization_block:
        turn.state.doomed[task.task_id] = reason, turn.now
        turn.read(task)


def _rest(turn: Turn, task: Task) -> None:
    """Let only the alarms ring that an ended task still has a use for."""
    timers = turn.state.timers
    for alarm in _TASK_ALARMS:
        timers.cancel(alarm, task.task_id)
    for replicate in task.replicates.values():
        timers.cancel(Alarm.ASSIGNMENT, task.task_id, replicate.wallet)
        timers.cancel(Alarm.PENDING_STALE, task.task_id, replicate.wallet)
        if (task.task_id, replicate.wallet) in turn.state.parked:
            # What still waits for a proof will get none.
            timers.set(Alarm.PROOF, task.task_id, turn.now)
    if task.claim_due:
        timers.set(Alarm.FINAL_DEADLINE, task.task_id, max(task.terms.final_deadline, turn.now))
    else:
        retain(turn, task)


def retain(turn: Turn, task: Task) -> None:
    """Keep an ended task in memory for the last words of its workers, then forget it."""
    policy = turn.state.policy
    over = not any(task.task_id in turn.state.held.get(wallet, ()) for wallet in task.replicates)
    delay = 0.0 if over and is_settled(turn, task) else policy.ended_retention_s
    turn.state.timers.set(Alarm.FORGET, task.task_id, turn.now + delay)


def is_settled(turn: Turn, task: Task) -> bool:
    """Tell whether no reorganisation can open an ended task on chain any more, after which it would be closed again."""
    if task.finalize_due or task.claim_due:
        return False
    return (
        not task.final_block or turn.state.head - task.final_block >= turn.state.policy.reorganisation_blocks
    )


def closed(turn: Turn, task: Task, block: int) -> None:
    """Take note that the chain has closed an ended task, in a block (0: one that is not known)."""
    was_due = task.claim_due
    turn.set_task(task, final_block=block or turn.state.head, claim_due=False)
    if was_due:
        turn.weigh_contributors(task)
        turn.state.timers.cancel(Alarm.RETRY, task.task_id)
        retain(turn, task)


def opened_again(turn: Turn, task: Task) -> None:
    """Take note that a reorganisation took back what had closed an ended task on chain."""
    turn.set_task(task, final_block=0, claim_due=task.status is TaskStatus.FAILED)


def forget_early(turn: Turn, task: Task) -> None:
    """Forget an ended task as soon as every worker said his last word."""
    if not task.claim_due and all(task.task_id not in turn.state.held.get(w, ()) for w in task.replicates):
        turn.state.timers.set(Alarm.FORGET, task.task_id, turn.now)


def claim(turn: Turn, task: Task) -> None:
    """Ask for the claim of a task that ended here and is open on chain, once its final deadline passed."""
    if not task.claim_due:
        return
    if turn.now < task.terms.final_deadline:
        turn.state.timers.set(Alarm.FINAL_DEADLINE, task.task_id, task.terms.final_deadline)
        return
    turn.request(TransactionKind.CLAIM, task)
    turn.state.timers.set(Alarm.RETRY, task.task_id, turn.now + turn.state.policy.read_timeout_s)


def forget(turn: Turn, task_id: str) -> None:
    """Let an ended task leave the memory; later, when its deal cannot be seen again, its id too."""
    state = turn.state
    task = state.tasks.get(task_id)
    if task is None:
        state.ended.discard(task_id)
        return
    if not task.ended or task.claim_due:
        return
    if not is_settled(turn, task):
        retain(turn, task)
        return
    for replicate in task.replicates.values():
        state.unindex(replicate)
        state.parked.pop((task_id, replicate.wallet), None)
        turn.recount[replicate.wallet] = None
        if replicate.status is not ReplicateStatus.COMPLETED:
            turn.drop_commands(state.workers[replicate.wallet], task_id)
    state.doomed.pop(task_id, None)
    state.unconvinced.discard(task_id)
    for kind in TransactionKind:
        state.refused.pop((task_id, kind), None)
        state.struck.pop((task_id, kind), None)
    state.waiting.remove(task_id)
    del state.tasks[task_id]
    if turn.now < task.terms.contribution_deadline:
        state.ended.add(task_id)
        state.timers.set(Alarm.FORGET, task_id, task.terms.contribution_deadline)
