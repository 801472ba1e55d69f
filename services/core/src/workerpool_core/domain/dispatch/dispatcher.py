"""Dispatch of tasks to workers as soon as both are available (core spec §4)."""

from workerpool_poco.protocol.statuses import WAITING_CONTRIBUTION_TASK_STATUSES

from workerpool_core.domain import transitions
from workerpool_core.domain.dispatch import assignment_timeouts
from workerpool_core.domain.dispatch.eligibility import is_paused, may_try
from workerpool_core.domain.dispatch.hardware import capability_of, requirement_of
from workerpool_core.domain.dispatch.paid_work import may_take_paid
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Replicate, Task, Worker
from workerpool_core.domain.replicates.consensus_forecast import (
    expected_until,
    pending_contributions,
    wants_more,
)
from workerpool_core.domain.state import State
from workerpool_core.domain.timers import Timeout


def slots_of(worker: Worker, slot_memory_bytes: int) -> int:
    """Return how many tasks a worker computes at the same time: one with a GPU, and no more than fit its memory."""
    slots = 1 if worker.model.gpus else worker.model.slots
    return min(slots, worker.model.memory_bytes // slot_memory_bytes) if slot_memory_bytes else slots


def free_slots(context: EventContext, live: LiveWorker) -> int:
    """Return how many more tasks a worker can be assigned now."""
    return idle_slots(context.state, live, context.now)


def idle_slots(state: State, live: LiveWorker, now: float) -> int:
    """Return how many more tasks a worker can be assigned at `now`; negative after its slots became fewer."""
    worker = live.worker
    if live.session is None or worker.lost or live.silent or live.weight <= 0 or live.parked_reason:
        return 0
    if is_paused(worker, now) or not state.is_admitted(worker.wallet):
        return 0
    return slots_of(worker, state.policy.slot_memory_bytes) - len(live.computing)


def is_suppliable(context: EventContext, task: Task) -> bool:
    """Return whether a task can be assigned to workers now and needs one more."""
    return (
        task.status in WAITING_CONTRIBUTION_TASK_STATUSES
        and task.initialization_block > 0
        and bool(task.enclave_challenge)
        and task.terms.contribution_deadline > context.now
        # Set only once the failure of the task is settled and cannot be contributed.
        and task.error_cause is None
        and context.live(task).paused_until <= context.now
        and (wants_more(task, context.state.workers, context.now) or _chain_wants_more(context, task))
    )


def _chain_wants_more(context: EventContext, task: Task) -> bool:
    """Return whether the chain lacks the consensus that the forecast predicts, because a weight fell meanwhile.

    Workers are then added one at a time until the chain reaches consensus.
    """
    lacks_consensus = context.live(task).lacks_consensus
    return lacks_consensus and not pending_contributions(task, context.state.workers, context.now)


def dispatch(context: EventContext) -> None:
    """Match the tasks and workers of this event: tasks that became ready first, then workers that became free."""
    state = context.state
    ready: list[Task] = []
    for task_id in context.tasks_to_match:
        task = state.task(task_id)
        if task is None or not is_suppliable(context, task):
            state.waiting.remove(task_id)
        elif state.waiting.add(task):
            ready.append(task)
    for wallet in context.workers_to_match:
        _update_free(context, wallet)
    if not state.chain_up:
        return
    for task in state.waiting.in_supply_order(ready) if len(ready) > 1 else ready:
        _assign_workers(context, task)
    _fill_all(context)


def _fill_all(context: EventContext) -> None:
    """Fill the slots of every worker to match, and of those that an assignment to another one frees."""
    done = 0
    while done < len(context.workers_to_match):
        wallets = list(context.workers_to_match)[done:]
        for wallet in wallets:
            if done:
                _update_free(context, wallet)
            _fill_slots(context, wallet)
        done += len(wallets)


def _update_free(context: EventContext, wallet: str) -> None:
    worker = context.state.workers.get(wallet)
    if worker is None or free_slots(context, worker) <= 0:
        context.state.free.remove(wallet)
    elif wallet not in context.state.free:
        context.state.free.add(wallet, capability_of(worker.worker.model), has_stake=worker.has_stake)


def _assign_workers(context: EventContext, task: Task) -> None:
    requirement = requirement_of(task.terms.tag)
    while task.task_id in context.state.waiting:
        wallet = context.state.free.first_for(
            requirement,
            lambda found: may_try(context, task, found),
            with_stake=task.terms.worker_stake > 0,
        )
        if wallet is None:
            return
        _assign(context, task, wallet)


def _fill_slots(context: EventContext, wallet: str) -> None:
    state = context.state
    worker = state.workers.get(wallet)
    if worker is None or worker.searched_version == state.waiting.version:
        return
    capability = capability_of(worker.worker.model)
    while wallet in state.free and len(state.waiting):
        task_id = state.waiting.next_for(
            capability,
            lambda found: _suits(context, state.tasks[found].task, wallet),
            with_stake=worker.has_stake,
            suits_deal=lambda terms: may_take_paid(state, worker, terms),
        )
        if task_id is None:
            worker.searched_version = state.waiting.version
            return
        _assign(context, state.tasks[task_id].task, wallet)


def set_contribution_timeout(context: EventContext, task: Task, replicate: Replicate) -> None:
    """Match a task again when a replicate stops counting as an expected contribution."""
    end = expected_until(replicate, task)
    if context.now < end < task.terms.contribution_deadline:
        context.state.timers.set(Timeout.CONTRIBUTION, task.task_id, end, replicate.wallet)


def _suits(context: EventContext, task: Task, wallet: str) -> bool:
    """Return whether a task may be assigned to a wallet now."""
    return may_try(context, task, wallet) and task.terms.contribution_deadline > context.now


def _assign(context: EventContext, task: Task, wallet: str) -> None:
    state = context.state
    worker = state.workers[wallet]
    replicate = transitions.create_replicate(context, task, wallet, worker.weight)
    set_contribution_timeout(context, task, replicate)
    if len(task.replicates) > 1:
        assignment_timeouts.replaced(context, task)
    if free_slots(context, worker) > 0:
        state.free.add(wallet, capability_of(worker.worker.model), has_stake=worker.has_stake)
    else:
        state.free.remove(wallet)
    state.waiting.charge(task.terms)
    if not wants_more(task, state.workers, context.now):
        state.waiting.remove(task.task_id)
