"""Checks of an assignment in the scheduler's memory at the time of the decision."""

from workerpool_poco.protocol.statuses import ChainTaskStatus, ReplicateStatus, ReplicateStatusCause
from workerpool_poco.protocol.tags import TeeFramework, tee_framework

from workerpool_core.domain.decisions import ReplicateCreated
from workerpool_core.domain.model import ErrorDecision, Replicate, Task
from workerpool_core.domain.scheduler import Scheduler
from workerpool_core.simulation.chain.chain import Chain
from workerpool_core.simulation.checks.violation import must
from workerpool_core.simulation.ledger import Ledger

_R = ReplicateStatus
_DEAD_ENDS = frozenset(
    {
        _R.START_FAILED,
        _R.COMPUTE_FAILED,
        _R.CONTRIBUTE_FAILED,
        _R.REVEAL_FAILED,
        _R.CONTRIBUTE_AND_FINALIZE_FAILED,
        _R.ABORTED,
        _R.FAILED,
        _R.COMPLETED,
        _R.COMPLETE_FAILED,
        _R.APP_DOWNLOAD_FAILED,
        _R.DATA_DOWNLOAD_FAILED,
    }
)
_IN_SLOT = frozenset(list(_R)[: list(_R).index(_R.COMPUTED)]) - _DEAD_ENDS


def check_assignment(
    write: ReplicateCreated, ledger: Ledger, chain: Chain, scheduler: Scheduler, now: float
) -> None:
    """Check an assignment that was just decided. Raises Violation."""
    new = write.replicate
    wallet = new.wallet
    task, live = scheduler.tasks[new.task_id], scheduler.workers[wallet]
    worker = live.worker
    must((new.task_id, wallet) not in ledger.replicates, "a task was assigned twice to", wallet)
    must(now < task.terms.contribution_deadline, "assigned after its contribution deadline:", new.task_id)
    must(live.session is not None and not worker.lost, "assigned to a disconnected worker:", wallet)
    must(worker.drained_until <= now, "assigned to a drained worker:", wallet)
    must(worker.quarantine_end <= now, "assigned to a worker in quarantine:", wallet)
    stake = chain.hub.stakes.get(wallet, 0)
    must(stake >= task.terms.worker_stake, "a paid task was assigned to a worker without stake:", wallet)
    must(not live.silent, "assigned to a worker whose assignments time out:", wallet)
    must(_fits(task, new, scheduler), "assigned to a slot that is known to be too small:", wallet)
    framework = tee_framework(task.terms.tag)
    able = {None: True, TeeFramework.TDX: worker.model.tdx}.get(framework, worker.model.sgx)
    must(able, "assigned to a worker without the hardware:", wallet, framework)
    used = sum(
        replicates[wallet].last_relevant in _IN_SLOT
        for replicates in (t.replicates for t in scheduler.tasks.values())
        if wallet in replicates
    )
    must(used <= worker.model.slots, "more tasks than slots:", wallet, used)
    is_needed = _is_needed(task, new, chain, scheduler, now)
    must(is_needed, "more contributions than the trust requires:", new.task_id)


def _fits(task: Task, new: Replicate, scheduler: Scheduler) -> bool:
    """Return whether a worker's slot is larger than those of workers with the result APP_OUT_OF_MEMORY."""
    slots = {wallet: scheduler.workers[wallet].worker.model.memory_of_slot for wallet in task.replicates}
    too_small = [
        slots[wallet]
        for wallet, replicate in task.replicates.items()
        if any(change.cause is ReplicateStatusCause.APP_OUT_OF_MEMORY for change in replicate.history)
        and not replicate.overdue
        and replicate.last_relevant not in _DEAD_ENDS
        and not scheduler.workers[wallet].worker.lost
    ]
    return slots[new.wallet] > max(too_small, default=0)


def _is_unwanted(replicate: Replicate) -> bool:
    """Return whether a result is late, or is an undecided or dropped error result."""
    computed = [change for change in replicate.history if change.status is _R.COMPUTED]
    failed = bool(computed) and computed[0].cause is not None
    return replicate.overdue or (failed and replicate.error_decision is not ErrorDecision.CONTRIBUTE)


def _is_needed(task: Task, new: Replicate, chain: Chain, scheduler: Scheduler, now: float) -> bool:
    """Return whether the task needed `new`, by the formula of core spec §6.2."""
    groups: dict[str, int] = {}
    pending_weight = 1
    pending = 0
    for replicate in task.replicates.values():
        if replicate.wallet == new.wallet:
            break
        expected = now < replicate.history[0].date + task.terms.max_execution_s
        owner = scheduler.workers[replicate.wallet]
        lost = owner.worker.lost or replicate.task_id in owner.unanswered
        if replicate.contribution_hash:
            value = replicate.contribution_hash
            groups[value] = groups.get(value, 1) * replicate.weight
        elif (
            expected
            and not _is_unwanted(replicate)
            and replicate.last_relevant not in _DEAD_ENDS
            and not lost
        ):
            pending_weight *= replicate.weight
            pending += 1
    on_chain = chain.task(task.task_id)
    if groups and not pending and on_chain is not None and on_chain.status is ChainTaskStatus.ACTIVE:
        # The hub checks the consensus only at a contribution, so after a reopening one more is needed.
        return True
    best = max(groups.values(), default=0)
    others = sum(groups.values()) - best
    forecast = best * pending_weight if best and pending else best or (pending_weight if pending else 0)
    trust = max(task.terms.trust, 1)
    return not forecast * trust > (1 + others + forecast) * (trust - 1)
