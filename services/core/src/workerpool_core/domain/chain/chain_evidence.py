"""What the chain proves about replicates and consensus, and how the record follows it (core spec §2.7).

The chain is the truth. A log or a read moves replicates forward as POOL_MANAGER, filling in the statuses
that their workers did not report. When a reorganisation takes something back, the record cannot run
backwards: a contribution that vanished loses its hash (it counts as pending again) and its worker is asked
to contribute again, as one whose reveal vanished is asked to reveal again; a consensus that vanished leads
through REOPENING and REOPENED to INITIALIZED.
"""

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import FINAL_REPLICATE_STATUSES, ReplicateStatus, TaskStatus

from workerpool_core.domain.event_context import Turn
from workerpool_core.domain.model import Action, Receipt, Replicate, Task
from workerpool_core.domain.replicates import uploads
from workerpool_core.domain.replicates.consensus_forecast import at_dead_end
from workerpool_core.domain.replicates.replicate_machine import missing_statuses
from workerpool_core.domain.timers import Alarm

_R = ReplicateStatus
_T = TaskStatus
_CONTRIBUTING = (_T.RECEIVED, _T.INITIALIZING, _T.INITIALIZED, _T.RUNNING)


def _replay(turn: Turn, replicate: Replicate, target: ReplicateStatus, receipt: Receipt | None) -> None:
    for status in missing_statuses(replicate, target):
        turn.move_replicate(replicate, status, receipt=receipt if status is target else None)


def contributed(
    turn: Turn, task: Task, replicate: Replicate, result_hash: str, receipt: Receipt | None
) -> None:
    """A contribution stands on chain."""
    if replicate.status is _R.FAILED:
        return
    turn.set_replicate(replicate, contribution_hash=result_hash)
    _replay(turn, replicate, _R.CONTRIBUTED, receipt)
    succeeded(turn, replicate)


def revealed(turn: Turn, replicate: Replicate, receipt: Receipt | None) -> None:
    """A reveal stands on chain."""
    _replay(turn, replicate, _R.REVEALED, receipt)


def contributed_and_finalized(
    turn: Turn, replicate: Replicate, result_hash: str, result_link: str, receipt: Receipt | None
) -> None:
    """One transaction contributed and finalized."""
    fields = {"result_link": result_link} if result_link else {}
    turn.set_replicate(replicate, contribution_hash=result_hash, **fields)
    _replay(turn, replicate, _R.CONTRIBUTE_AND_FINALIZE_DONE, receipt)
    succeeded(turn, replicate)


def succeeded(turn: Turn, replicate: Replicate) -> None:
    """A worker's contribution on chain ends his series of failures."""
    worker = turn.state.workers[replicate.wallet]
    if worker.consecutive_failures:
        worker.consecutive_failures = 0
        turn.save_worker(worker)


def consensus(
    turn: Turn, task: Task, value: str, *, receipt: Receipt, reveal_deadline: float, winner_count: int
) -> None:
    """The chain reached consensus: winners reveal, everybody else stops.

    While fewer winners are known here than the chain counts, the chain is asked again.
    """
    winners = [r for r in task.replicates.values() if r.contribution_hash == value]
    if len(winners) < winner_count:
        turn.state.timers.set(Alarm.READ, task.task_id, turn.now + turn.state.policy.retry_s)
        return
    known = task.consensus == value and task.status not in _CONTRIBUTING
    fields = {
        "consensus": value,
        "reveal_deadline": reveal_deadline,
        "winner_count": winner_count,
        # A read does not tell the block; it only bounds it. What a log said is kept.
        "consensus_block": receipt.block if not known or receipt.transaction else task.consensus_block,
    }
    if not known or task.reveal_deadline != reveal_deadline:
        turn.state.timers.set(Alarm.REVEAL_DEADLINE, task.task_id, reveal_deadline)
    if known:
        moved = bool(receipt.transaction) and receipt.block != task.consensus_block
        turn.set_task(task, **fields)
        if moved:
            _reveal_again(turn, task, winners)
        return
    if task.status in _CONTRIBUTING:
        if task.status is _T.RECEIVED:
            turn.move_task(task, _T.INITIALIZING)
        if task.status is _T.INITIALIZING:
            turn.move_task(task, _T.INITIALIZED)
        if task.status is _T.INITIALIZED:
            turn.move_task(task, _T.RUNNING)
        turn.move_task(task, _T.CONSENSUS_REACHED, receipt=receipt, **fields)
    else:
        turn.set_task(task, **fields)
    for replicate in task.replicates.values():
        if replicate.contribution_hash == value:
            # Even one that gave up may reveal: its stake is at risk.
            if not replicate.ever(_R.REVEALED) and replicate.status not in FINAL_REPLICATE_STATUSES:
                turn.command(replicate.wallet, task.task_id, Action.REVEAL, block=task.consensus_block)
        elif not at_dead_end(replicate):
            turn.command(
                replicate.wallet, task.task_id, Action.ABORT, cause=ReplicateStatusCause.CONSENSUS_REACHED
            )


def _reveal_again(turn: Turn, task: Task, winners: list[Replicate]) -> None:
    """The consensus came back in another block: reveals that were under way or done went with the old one."""
    for replicate in winners:
        if not replicate.ever(_R.REVEALED) and replicate.status not in FINAL_REPLICATE_STATUSES:
            turn.command(
                replicate.wallet, task.task_id, Action.REVEAL, block=task.consensus_block, resume=True
            )
    turn.read(task)


def reveal_timed_out(turn: Turn, replicate: Replicate) -> None:
    """A winner did not reveal in time; his stake is lost on chain."""
    if replicate.last_relevant in (_R.CONTRIBUTED, _R.REVEALING):
        turn.command(
            replicate.wallet, replicate.task_id, Action.ABORT, cause=ReplicateStatusCause.REVEAL_TIMEOUT
        )
        turn.move_replicate(replicate, _R.FAILED, cause=ReplicateStatusCause.REVEAL_TIMEOUT)


def reveal_vanished(turn: Turn, task: Task, replicate: Replicate) -> None:
    """A reorganisation took a reveal back; its worker is asked for it again."""
    pending = turn.state.workers[replicate.wallet].pending.values()
    asked = any(c.task_id == task.task_id and c.action is Action.REVEAL for c in pending)
    if not asked and replicate.status not in FINAL_REPLICATE_STATUSES:
        turn.command(replicate.wallet, task.task_id, Action.REVEAL, block=task.consensus_block, resume=True)
        if task.uploader == replicate.wallet and uploads.is_expected(task, replicate):
            turn.command(replicate.wallet, task.task_id, Action.UPLOAD, resume=True)


def reopened(turn: Turn, task: Task, receipt: Receipt | None = None) -> None:
    """Nobody revealed and the task was reopened on chain: the winners are out, others may contribute."""
    if task.status not in (_T.CONSENSUS_REACHED, _T.REOPENING):
        return
    turn.weigh_contributors(task)
    for replicate in task.replicates.values():
        if replicate.contribution_hash == task.consensus:
            reveal_timed_out(turn, replicate)
            turn.set_replicate(replicate, contribution_hash="")
    _open_again(turn, task, receipt)


def consensus_vanished(turn: Turn, task: Task) -> None:
    """A reorganisation took the consensus back; the contributions that remain keep counting."""
    for replicate in task.replicates.values():
        if replicate.contribution_hash == task.consensus and not at_dead_end(replicate):
            turn.drop_commands(turn.state.workers[replicate.wallet], task.task_id)
    _open_again(turn, task, None)


def _open_again(turn: Turn, task: Task, receipt: Receipt | None) -> None:
    cleared = {"consensus": "", "consensus_block": 0, "reveal_deadline": 0.0, "winner_count": 0}
    if task.status is _T.CONSENSUS_REACHED:
        turn.move_task(task, _T.REOPENING)
    turn.state.timers.cancel(Alarm.REVEAL_DEADLINE, task.task_id)
    turn.state.timers.set(
        Alarm.CONTRIBUTION_DEADLINE, task.task_id, max(task.terms.contribution_deadline, turn.now)
    )
    turn.move_task(task, _T.REOPENED, receipt=receipt, **cleared)


def contribution_vanished(turn: Turn, task: Task, replicate: Replicate) -> None:
    """A reorganisation took a contribution back; its worker is asked for it again."""
    turn.set_replicate(replicate, contribution_hash="")
    if not task.ended and not at_dead_end(replicate):
        turn.command(replicate.wallet, task.task_id, Action.CONTRIBUTE, resume=True)
