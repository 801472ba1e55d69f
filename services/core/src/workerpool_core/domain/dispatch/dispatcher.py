"""Dispatch of tasks to workers as soon as both are available (core spec §4)."""

from workerpool_poco.protocol.statuses import WAITING_CONTRIBUTION_TASK_STATUSES

from workerpool_core.domain import transitions
from workerpool_core.domain.dispatch import supply
from workerpool_core.domain.dispatch.hardware import capability_of, requirement_of
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Replicate, Task, Worker
from workerpool_core.domain.replicates.consensus_forecast import (
    expected_until,
    pending_contributions,
    wants_more,
)
from workerpool_core.domain.timers import Timeout


def slots_of(worker: Worker, slot_memory_bytes: int) -> int:
    """Return how many tasks a worker computes at the same time: one with a GPU, and no more than fit its memory."""
    slots = 1 if worker.model.gpus else worker.model.slots
    return min(slots, worker.model.memory_bytes // slot_memory_bytes) if slot_memory_bytes else slots


def free_slots(context: EventContext, live: LiveWorker) -> int:
    """Return how many more tasks a worker can be assigned now."""
    worker = live.worker
    paused = worker.drained_until > context.now or worker.quarantined_until > context.now
    if live.session is None or worker.lost or paused or live.weight <= 0:
        return 0
    return slots_of(worker, context.state.policy.slot_memory_bytes) - len(live.computing)


def is_suppliable(context: EventContext, task: Task) -> bool:
    """Return whether a task can be assigned to workers now and needs one more."""
    return (
        task.status in WAITING_CONTRIBUTION_TASK_STATUSES
        and task.initialization_block > 0
        and bool(task.enclave_challenge)
        and task.terms.contribution_deadline > context.now
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
    for task in supply.in_supply_order(ready) if len(ready) > 1 else ready:
        _assign_workers(context, task)
    for wallet in context.workers_to_match:
        _fill_slots(context, wallet)


def _update_free(context: EventContext, wallet: str) -> None:
    worker = context.state.workers.get(wallet)
    if worker is None or free_slots(context, worker) <= 0:
        context.state.free.remove(wallet)
    elif wallet not in context.state.free:
        context.state.free.add(wallet, capability_of(worker.worker.model))


def _assign_workers(context: EventContext, task: Task) -> None:
    requirement = requirement_of(task.terms.tag)
    while task.task_id in context.state.waiting:
        wallet = context.state.free.first_for(requirement, lambda found: found not in task.replicates)
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
            capability, lambda found: _suits(context, state.tasks[found].task, wallet)
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
    """Return whether a task may be assigned to a wallet; it never gets the same task twice."""
    return wallet not in task.replicates and task.terms.contribution_deadline > context.now


def _assign(context: EventContext, task: Task, wallet: str) -> None:
    state = context.state
    worker = state.workers[wallet]
    replicate = transitions.create_replicate(context, task, wallet, worker.weight)
    set_contribution_timeout(context, task, replicate)
    if free_slots(context, worker) > 0:
        state.free.add(wallet, capability_of(worker.worker.model))
    else:
        state.free.remove(wallet)
    state.waiting.rotate(task.terms.requester)
    if not wants_more(task, state.workers, context.now):
        state.waiting.remove(task.task_id)
