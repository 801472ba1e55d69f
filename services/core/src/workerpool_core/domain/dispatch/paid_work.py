"""Whether a worker may take a paid task: its stake in the hub, and the limit of wallets without a record."""

from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import DealTerms
from workerpool_core.domain.replicates.consensus_forecast import is_at_dead_end
from workerpool_core.domain.state import State


def has_stake_for(live: LiveWorker, worker_stake: int) -> bool:
    """Return whether a worker's free stake covers a task that locks `worker_stake` nRLC; an unknown one covers none."""
    return worker_stake <= 0 or (live.stake or 0) >= worker_stake


def may_take_paid(state: State, live: LiveWorker, terms: DealTerms) -> bool:
    """Return whether a worker may take one more task of a deal whose workers lock a stake; any may take a free one.

    The hub locks `worker_stake` nRLC with each contribution (IexecPoco2 `contribute`), so the free stake must cover
    every assignment without one. A wallet without completed contributions computes few paid tasks at once.
    """
    if terms.worker_stake <= 0:
        return True
    computing, committed = _paid_commitments(state, live)
    if _exceeds_newcomers(state, live, computing):
        return False
    if live.stake is None or live.stake < committed + terms.worker_stake:
        live.lacks_stake = True
        return False
    return True


def paid_room(state: State, live: LiveWorker, worker_stake: int) -> int:
    """Return how many more tasks that each lock `worker_stake` nRLC (more than 0) a worker may take."""
    computing, committed = _paid_commitments(state, live)
    covered = max((live.stake or 0) - committed, 0) // worker_stake
    newcomers = state.policy.newcomer_assignments
    return min(covered, max(newcomers + live.worker.successes - computing, 0)) if newcomers else covered


def is_at_newcomer_limit(state: State, live: LiveWorker) -> bool:
    """Return whether a worker computes as many paid tasks as a wallet with its record may."""
    computing, _ = _paid_commitments(state, live)
    return _exceeds_newcomers(state, live, computing)


def _exceeds_newcomers(state: State, live: LiveWorker, computing: int) -> bool:
    newcomers = state.policy.newcomer_assignments
    return bool(newcomers) and computing >= newcomers + live.worker.successes


def _paid_commitments(state: State, live: LiveWorker) -> tuple[int, int]:
    """Return the paid tasks that a worker computes, and the nRLC that its uncontributed ones will lock."""
    wallet = live.worker.wallet
    computing = committed = 0
    for task_id in live.held:
        task = state.tasks[task_id].task
        replicate = task.replicates[wallet]
        if task.terms.worker_stake <= 0 or task.ended or is_at_dead_end(replicate):
            continue
        # Replicates that wait for other workers do not count: two newcomers could wait for each other.
        computing += task_id in live.computing
        if not replicate.contribution_hash:
            committed += task.terms.worker_stake
    return computing, committed
