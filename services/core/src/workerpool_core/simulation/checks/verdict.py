"""The conditions that must hold when a seed has ended, long after the last deadline."""

from workerpool_poco.protocol.statuses import ChainTaskStatus, TaskStatus

from workerpool_core.domain.model import Task
from workerpool_core.simulation.checks.violation import must
from workerpool_core.simulation.environment import START, Environment
from workerpool_core.simulation.fleet import Fleet
from workerpool_core.simulation.ledger import Ledger

_OPEN = (ChainTaskStatus.ACTIVE, ChainTaskStatus.REVEALING)
GRACE_S = 90.0
"""Seconds after its final deadline in which a task must end: a restart of core and a read of the chain."""


def check(environment: Environment, ledger: Ledger, fleet: Fleet) -> None:
    """Check every task and worker. Raises Violation."""
    on_chain = environment.chain.head.state
    for name, task in ledger.tasks.items():
        status = on_chain[name].status if name in on_chain else ChainTaskStatus.UNSET
        _check_task(environment, task, status)
    for name in on_chain:
        must(name in ledger.tasks, "a task of a deal was never created:", name)
    for worker in fleet.workers.values():
        if worker.link is not None and worker.welcomed:
            must(not worker.journal.outbox, "reports were never answered:", worker.wallet)
            pending = [c for (wallet, _), c in ledger.commands.items() if wallet == worker.wallet]
            must(not pending, "commands were never acknowledged:", pending)


def _check_task(environment: Environment, task: Task, status: ChainTaskStatus) -> None:
    name, faults = task.task_id, environment.faults
    must(task.ended, "not ended by its final deadline:", name, task.status)
    ended_at = task.history[-1].date
    must(ended_at <= task.terms.final_deadline + GRACE_S, "ended too late:", name, ended_at - START)
    completed = task.status is TaskStatus.COMPLETED
    must(status not in _OPEN or not task.initialization_block, "left open on chain:", name, status)
    never_initialized = task.history[-2].status is TaskStatus.INITIALIZE_FAILED
    if never_initialized and faults.reorganisations:
        # A third party's initialization may be mined again after it was given up.
        return
    if completed and faults.reorganisations:
        # A removed finalization cannot be repeated if the reveal was removed too and its worker had left, or if the
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
        completed or status in (ChainTaskStatus.UNSET, ChainTaskStatus.FAILED),
        "never claimed:",
        name,
        status,
    )
    must(completed or not faults.must_complete, "FAILED without a fault that excuses it:", name)
