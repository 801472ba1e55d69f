"""The conditions at the end of a seed, long after the last deadline."""

from collections import Counter

from workerpool_poco.protocol.statuses import ChainTaskStatus, TaskStatus

from workerpool_core.domain.model import Task
from workerpool_core.simulation.behaviours import ALWAYS_FAILING, AppBehaviour
from workerpool_core.simulation.checks.violation import must
from workerpool_core.simulation.environment import START, Environment
from workerpool_core.simulation.fleet import Fleet
from workerpool_core.simulation.ledger import Ledger

_OPEN = (ChainTaskStatus.ACTIVE, ChainTaskStatus.REVEALING)
_QUIET_S = 130.0
"""Seconds within which a task ends without faults, even with the highest trust."""
GRACE_S = 90.0
"""Seconds after its final deadline within which a task must end: enough for a restart and a read of the chain."""


def check(environment: Environment, ledger: Ledger, fleet: Fleet) -> None:
    """Check every task and worker. Raises Violation."""
    on_chain = environment.chain.head.state
    for name, task in ledger.tasks.items():
        status = on_chain[name].status if name in on_chain else None
        _check_task(environment, task, status)
    _check_unreached(environment, ledger)
    for worker in fleet.workers.values():
        if worker.link is not None and worker.welcomed:
            must(not worker.journal.outbox, "reports were never answered:", worker.wallet)
            pending = [c for (wallet, _), c in ledger.commands.items() if wallet == worker.wallet]
            must(not pending, "commands were never acknowledged:", pending)


def _check_unreached(environment: Environment, ledger: Ledger) -> None:
    """Check that every task was created, or counted as unreached in the removal of its deal."""
    missing = Counter(
        task.terms.deal_id for name, task in environment.chain.head.state.items() if name not in ledger.tasks
    )
    for deal_id, count in missing.items():
        must(ledger.unreached.get(deal_id) == count, "tasks of a deal were lost:", deal_id, count)
        must(
            not environment.faults.must_complete, "tasks were never created without a fault:", deal_id, count
        )
    must(not ledger.deals, "a deal outlived its contribution deadline:", list(ledger.deals))


def _check_task(environment: Environment, task: Task, status: ChainTaskStatus | None) -> None:
    """Check one task; `status` is that in the hub, None if a reorganisation removed its deal."""
    name, faults = task.task_id, environment.faults
    must(task.ended, "not ended by its final deadline:", name, task.status)
    ended_at = task.history[-1].date
    must(ended_at <= task.terms.final_deadline + GRACE_S, "ended too late:", name, ended_at - START)
    completed = task.status is TaskStatus.COMPLETED
    must(status not in _OPEN or not task.initialization_block, "left open on chain:", name, status)
    never_initialized = task.history[-2].status is TaskStatus.INITIALIZE_FAILED
    if never_initialized and faults.reorganisations:
        # A third party's initialization may be mined again after the task failed.
        return
    if completed and faults.reorganisations:
        # A removed finalization cannot be repeated if the reveal was removed too and its worker is gone, or if the
        # initialization was removed and it is too late for another.
        must(status not in _OPEN, "COMPLETED, but open on chain:", name, status)
        return
    must(
        completed is (status is ChainTaskStatus.COMPLETED),
        "chain and pool disagree on the end of",
        name,
        task.status,
        status,
    )
    must(
        completed or status in (None, ChainTaskStatus.FAILED),
        "never claimed:",
        name,
        status,
    )
    must(not completed or faults.error_results or task.error_cause is None, "contributed a failure:", name)
    is_refunded = environment.app(name) is not AppBehaviour.GOOD and not faults.error_results
    must(
        completed or not faults.must_complete or is_refunded, "FAILED without a fault that explains it:", name
    )
    if faults.must_complete and (completed or is_refunded):
        _check_result(environment, task)


def _check_result(environment: Environment, task: Task) -> None:
    """Check that the result of a task is right although one worker may lie, and that it ended in time.

    Each bad worker costs a task one attempt. Slow apps reach their time limit twice and occupy the slots meanwhile.
    """
    app, name = environment.app(task.task_id), task.task_id
    if app is AppBehaviour.GOOD:
        must(task.error_cause is None, "a good app ended with an error result:", name, task.error_cause)
    elif app in ALWAYS_FAILING:
        must(task.error_cause is not None, "a failing app ended with a success:", name, app)
    if environment.faults.name == "calm":
        seconds = task.history[-1].date - task.history[0].date
        limit_s = _QUIET_S + len(environment.behaviours) * task.terms.max_execution_s
        limit_s += 4 * task.terms.max_execution_s if AppBehaviour.SLOW in environment.apps.values() else 0
        must(seconds < limit_s, "took long:", name, app, seconds)
