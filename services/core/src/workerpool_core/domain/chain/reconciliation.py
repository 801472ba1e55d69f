"""What a read of the chain says about a task: repairs first, then the deadlines that only the chain may judge.

A read that is older than the newest block followed says nothing that the logs did not, and is asked again. So when
the block followed is from after a deadline, a read holds all that was done in time; until then nothing is missed.
"""

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.protocol.statuses import (
    WAITING_CONTRIBUTION_TASK_STATUSES,
    WAITING_REVEAL_TASK_STATUSES,
    ChainTaskStatus,
    ContributionStatus,
    ReplicateStatus,
    TaskStatus,
)

from workerpool_core.domain.chain import chain_evidence
from workerpool_core.domain.event_context import Turn
from workerpool_core.domain.events import TaskRead, TransactionKind
from workerpool_core.domain.model import Receipt, Replicate, Task
from workerpool_core.domain.replicates import reports
from workerpool_core.domain.replicates.consensus_forecast import (
    contributors,
    is_caf_eligible,
    pending_of,
    wants_more,
)
from workerpool_core.domain.tasks import completion, initialization, progress, task_machine
from workerpool_core.domain.tasks.retries import pursue, retry_later
from workerpool_core.domain.timers import Alarm

_R = ReplicateStatus
_T = TaskStatus
_REVEALS = WAITING_REVEAL_TASK_STATUSES | {_T.FINALIZING}
_CONTRIBUTIONS = (_R.CONTRIBUTED, _R.CONTRIBUTE_AND_FINALIZE_DONE)
_CONSENSUS = (_T.CONSENSUS_REACHED, _T.REOPENING)


def read(turn: Turn, event: TaskRead) -> None:
    """Let the record of a task follow what the chain says."""
    task = turn.state.tasks.get(event.task_id)
    if task is None:
        return
    turn.state.timers.cancel(Alarm.READ, task.task_id)
    if event.block < turn.state.head:
        if not task.ended or task.claim_due or task.finalize_due:
            turn.state.timers.set(Alarm.READ, task.task_id, turn.now + turn.state.policy.retry_s)
        return
    before = len(turn.writes)
    _compare(turn, task, event)
    if len(turn.writes) > before:
        turn.heard_of(task, event.block)


def _compare(turn: Turn, task: Task, event: TaskRead) -> None:
    asked_at = turn.now if event.asked_at is None else event.asked_at
    chain = event.task if event.task and event.task.status is not ChainTaskStatus.UNSET else None
    if task.ended:
        _of_ended(turn, task, chain, event.block)
        return
    if chain is None:
        _unset(turn, task, event, asked_at)
    else:
        _known(turn, task, chain, event, asked_at)
    if not task.ended and chain is not None:
        _judge_refusals(turn, task, chain, asked_at)
    if not task.ended:
        _judge_deadlines(turn, task, chain)
    if not task.ended and chain is not None:
        _judge_forecast(turn, task, chain, event)
    if not task.ended:
        _judge_doom(turn, task, chain, asked_at)
    turn.touched[task.task_id] = None


def _of_ended(turn: Turn, task: Task, chain: ChainTask | None, block: int) -> None:
    nothing_to_claim = task.claim_due and chain is None
    if nothing_to_claim or (chain and chain.status in (ChainTaskStatus.FAILED, ChainTaskStatus.COMPLETED)):
        completion.closed(turn, task, block)
    elif 0 < task.final_block <= block:
        completion.opened_again(turn, task)
        pursue(turn, task)
    elif task.finalize_due or (task.claim_due and turn.now >= task.terms.final_deadline):
        retry_later(turn, task)


# --- repairs ------------------------------------------------------------------------------------


def _unset(turn: Turn, task: Task, event: TaskRead, asked_at: float) -> None:
    """The chain does not know the task: not yet, or a reorganisation took its initialization or its deal back.

    Workers are asked for their contributions at once; they send them when the task is initialized again.
    """
    if task.status in _CONSENSUS:
        chain_evidence.consensus_vanished(turn, task)
    for wallet in event.contributions:
        replicate = task.replicates.get(wallet)
        if replicate is not None:
            reports.proof_by_chain(turn, task, replicate, frozenset(), asked_at)
            unproven = reports.unproven(turn, replicate, asked_at)
            if replicate.contribution_hash or unproven in _CONTRIBUTIONS:
                chain_evidence.contribution_vanished(turn, task, replicate)
    if _was_refused(turn, task, TransactionKind.INITIALIZE, asked_at):
        late = turn.now >= task.terms.contribution_deadline
        if late or _second_strike(turn, task, TransactionKind.INITIALIZE):
            _never_again(turn, task)
        else:
            retry_later(turn, task)
    elif task.initialization_block:
        turn.set_task(task, initialization_block=0)
        turn.reshelve[task.task_id] = None
        turn.request(TransactionKind.INITIALIZE, task)
        retry_later(turn, task)


def _never_again(turn: Turn, task: Task) -> None:
    """The task cannot be initialized (any more), so nobody can contribute to it.

    One that is past its consensus here keeps no worker busy, and ends at its final deadline.
    """
    if task.status in (_T.RECEIVED, _T.INITIALIZING):
        completion.fail(turn, task, _T.INITIALIZE_FAILED)
    elif task.status in (_T.INITIALIZED, _T.RUNNING):
        completion.fail(turn, task, _T.CONTRIBUTION_TIMEOUT, ReplicateStatusCause.TASK_NOT_ACTIVE)
    else:
        retry_later(turn, task)


def _known(turn: Turn, task: Task, chain: ChainTask, event: TaskRead, asked_at: float) -> None:
    initialization.initialized(turn, task, Receipt(task.initialization_block or event.block))
    if task.ended:
        return
    if chain.status is ChainTaskStatus.ACTIVE and task.status in _CONSENSUS:
        _consensus_gone(turn, task, event)
    for wallet, contribution in event.contributions.items():
        replicate = task.replicates.get(wallet)
        if replicate is not None:
            result_hash = to_hex(contribution.result_hash)
            _contribution(turn, task, replicate, contribution.status, result_hash, chain, asked_at)
    if chain.status is ChainTaskStatus.REVEALING:
        chain_evidence.consensus(
            turn,
            task,
            to_hex(chain.consensus_value),
            receipt=Receipt(event.block),
            reveal_deadline=chain.reveal_deadline,
            winner_count=chain.winner_counter,
        )
    elif chain.status is ChainTaskStatus.COMPLETED:
        completion.complete(turn, task, Receipt(), chain.results.decode(errors="replace"))
    elif chain.status is ChainTaskStatus.FAILED:
        completion.fail(turn, task, _T.FINAL_DEADLINE_REACHED)
        completion.closed(turn, task, event.block)


def _consensus_gone(turn: Turn, task: Task, event: TaskRead) -> None:
    """The chain is ACTIVE after a consensus: reopened if it rejected the winners, else reorganised away."""
    winners = [w for w, r in task.replicates.items() if r.contribution_hash == task.consensus]
    rejected = [
        wallet
        for wallet in winners
        if wallet in event.contributions and event.contributions[wallet].status is ContributionStatus.REJECTED
    ]
    if rejected:
        chain_evidence.reopened(turn, task)
    else:
        chain_evidence.consensus_vanished(turn, task)


def _contribution(
    turn: Turn,
    task: Task,
    replicate: Replicate,
    status: ContributionStatus,
    result_hash: str,
    chain: ChainTask,
    asked_at: float,
) -> None:
    """Follow what the chain says of one worker's contribution."""
    proven = _proven(replicate, task, status, chain)
    # A worker's own report is recorded as his, before the scheduler fills in what he did not report.
    reports.proof_by_chain(turn, task, replicate, proven, asked_at)
    unproven = reports.unproven(turn, replicate, asked_at)
    if status is ContributionStatus.UNSET:
        to_do_again = chain.status is ChainTaskStatus.ACTIVE and unproven in _CONTRIBUTIONS
        if replicate.contribution_hash or to_do_again:
            chain_evidence.contribution_vanished(turn, task, replicate)
    elif _R.CONTRIBUTE_AND_FINALIZE_DONE in proven:
        link = chain.results.decode(errors="replace")
        chain_evidence.contributed_and_finalized(turn, replicate, result_hash, link, None)
    elif proven:
        chain_evidence.contributed(turn, task, replicate, result_hash, None)
        if _R.REVEALED in proven:
            chain_evidence.revealed(turn, replicate, None)
        elif (replicate.ever(_R.REVEALED) or unproven is _R.REVEALED) and _takes_reveals(turn, chain):
            chain_evidence.reveal_vanished(turn, task, replicate)


def _proven(
    replicate: Replicate, task: Task, status: ContributionStatus, chain: ChainTask
) -> frozenset[ReplicateStatus]:
    """Return what a contribution's status on chain proves about its replicate."""
    completed = chain.status is ChainTaskStatus.COMPLETED
    if status is ContributionStatus.UNSET or (status is ContributionStatus.REJECTED and not completed):
        return frozenset()
    if status is not ContributionStatus.PROVED:
        return frozenset({_R.CONTRIBUTED})
    if completed and is_caf_eligible(task) and not replicate.ever(_R.CONTRIBUTING):
        return frozenset({_R.CONTRIBUTE_AND_FINALIZE_DONE})
    return frozenset({_R.CONTRIBUTED, _R.REVEALED})


def _takes_reveals(turn: Turn, chain: ChainTask) -> bool:
    return chain.status is ChainTaskStatus.REVEALING and turn.now < chain.reveal_deadline


# --- judgements ---------------------------------------------------------------------------------


def _was_refused(turn: Turn, task: Task, kind: TransactionKind, asked_at: float) -> bool:
    """Tell, once, whether the adapter refused a transaction before this read was asked."""
    refused_at = turn.state.refused.get((task.task_id, kind))
    if refused_at is None or asked_at < refused_at:
        return False
    del turn.state.refused[task.task_id, kind]
    return True


def _second_strike(turn: Turn, task: Task, kind: TransactionKind) -> bool:
    """Take note of a refusal that the chain does not explain; return whether it is the second.

    For a while after a reorganisation none counts: what was refused may have met another chain. Nor does one that
    comes before it was asked again.
    """
    if turn.in_doubt:
        return False
    since = turn.state.struck.setdefault((task.task_id, kind), turn.now)
    return turn.now >= since + turn.state.policy.retry_s


def _judge_refusals(turn: Turn, task: Task, chain: ChainTask, asked_at: float) -> None:
    """A refused transaction fails the task, unless the chain shows that it was only too early.

    What the chain would take now may have been too early when it was refused: it is asked for once more.
    """
    revealing = chain.status is ChainTaskStatus.REVEALING
    late = turn.state.chain_time >= chain.reveal_deadline
    if _was_refused(turn, task, TransactionKind.FINALIZE, asked_at) and task.status is _T.FINALIZING:
        all_revealed = chain.reveal_counter == chain.winner_counter
        possible = revealing and chain.reveal_counter > 0 and (all_revealed or late)
        if possible and _second_strike(turn, task, TransactionKind.FINALIZE):
            completion.fail(turn, task, _T.FINALIZE_FAILED)
        else:
            retry_later(turn, task)
    if _was_refused(turn, task, TransactionKind.REOPEN, asked_at) and task.status is _T.REOPENING:
        if late and _second_strike(turn, task, TransactionKind.REOPEN):
            completion.fail(turn, task, _T.REOPEN_FAILED)
        else:
            retry_later(turn, task)


def _judge_deadlines(turn: Turn, task: Task, chain: ChainTask | None) -> None:
    """Only the chain can tell that a deadline was missed, once it has a block from after it; until then it is asked."""
    terms = task.terms
    passed = [
        deadline
        for deadline, statuses in (
            (terms.final_deadline, frozenset(TaskStatus)),
            (terms.contribution_deadline, WAITING_CONTRIBUTION_TASK_STATUSES),
            (task.reveal_deadline or terms.final_deadline, _REVEALS),
        )
        if task.status in statuses and turn.now >= deadline
    ]
    if any(turn.state.chain_time < deadline for deadline in passed):
        turn.state.timers.set(Alarm.READ, task.task_id, turn.now + turn.state.policy.retry_s)
        return
    if not passed:
        return
    if turn.now >= terms.final_deadline:
        completion.fail(turn, task, _T.FINAL_DEADLINE_REACHED)
    elif task.status in WAITING_CONTRIBUTION_TASK_STATUSES:
        if chain is None or chain.status is ChainTaskStatus.ACTIVE:
            completion.fail(turn, task, _T.CONTRIBUTION_TIMEOUT, ReplicateStatusCause.CONTRIBUTION_TIMEOUT)
    elif chain is not None and chain.status is ChainTaskStatus.REVEALING:
        _reveals_over(turn, task, chain)


def _judge_forecast(turn: Turn, task: Task, chain: ChainTask, event: TaskRead) -> None:
    """Compare the forecast with the chain, which weighs a worker when he contributes and not when he is asked."""
    contributed = contributors(task)
    short = (
        task.status in WAITING_CONTRIBUTION_TASK_STATUSES
        and chain.status is ChainTaskStatus.ACTIVE
        # Only who was asked about is known to stand on the chain that was read.
        and contributed != []
        and all(replicate.wallet in event.contributions for replicate in contributed)
        and not pending_of(task, turn.state.workers, turn.now)
        and not wants_more(task, turn.state.workers, turn.now)
    )
    if short:
        turn.state.unconvinced.add(task.task_id)
        turn.reshelve[task.task_id] = None
    elif task.status not in WAITING_CONTRIBUTION_TASK_STATUSES:
        turn.state.unconvinced.discard(task.task_id)


def _judge_doom(turn: Turn, task: Task, chain: ChainTask | None, asked_at: float) -> None:
    """Fail a task that nobody can do, unless the chain holds a contribution or a consensus that nobody told of."""
    reason, since = turn.state.doomed.get(task.task_id, (None, 0.0))
    if reason is None:
        return
    if task_machine.may_follow(task.status, reason):
        if asked_at < since:
            turn.read(task)
            return
        if chain is not None and chain.status is ChainTaskStatus.REVEALING:
            # Its winners are not all known yet, and the chain is asked again.
            return
        hopeless = reason is not _T.RUNNING_FAILED or progress.nobody_can_run(turn, task)
        if chain is not None and hopeless:
            completion.fail(turn, task, reason)
    del turn.state.doomed[task.task_id]


def _reveals_over(turn: Turn, task: Task, chain: ChainTask) -> None:
    for replicate in task.replicates.values():
        if not replicate.ever(_R.REVEALED):
            chain_evidence.reveal_timed_out(turn, replicate)
    in_time = turn.now < task.terms.contribution_deadline
    if chain.reveal_counter == 0 and task.status is _T.CONSENSUS_REACHED and in_time:
        turn.move_task(task, _T.REOPENING)
        turn.request(TransactionKind.REOPEN, task)
