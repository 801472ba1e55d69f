"""Hands tasks to workers the moment both are there (core spec §4)."""

from workerpool_poco.protocol.statuses import WAITING_CONTRIBUTION_TASK_STATUSES

from workerpool_core.domain.dispatch import supply
from workerpool_core.domain.dispatch.supply import ability_of, need_of
from workerpool_core.domain.event_context import Turn
from workerpool_core.domain.model import Replicate, Task, Worker
from workerpool_core.domain.replicates.consensus_forecast import pending_of, pending_until, wants_more
from workerpool_core.domain.timers import Alarm


def slots_of(worker: Worker, slot_memory_bytes: int) -> int:
    """Return how many tasks a worker computes at once: one with a GPU, and no more than its memory holds."""
    slots = 1 if worker.model.gpus else worker.model.slots
    return min(slots, worker.model.memory_bytes // slot_memory_bytes) if slot_memory_bytes else slots


def free_slots(turn: Turn, worker: Worker) -> int:
    """Return how many more tasks a worker may be given now."""
    at_rest = worker.drained_until > turn.now or worker.quarantined_until > turn.now
    if not worker.session or worker.lost or at_rest or turn.state.weights.get(worker.wallet, 0) <= 0:
        return 0
    slots = slots_of(worker, turn.state.policy.slot_memory_bytes)
    return slots - len(turn.state.busy.get(worker.wallet, ()))


def is_suppliable(turn: Turn, task: Task) -> bool:
    """Tell whether a task can be handed out now and wants to be."""
    return (
        task.status in WAITING_CONTRIBUTION_TASK_STATUSES
        and task.initialization_block > 0
        and bool(task.enclave_challenge)
        and task.terms.contribution_deadline > turn.now
        and (wants_more(task, turn.state.workers, turn.now) or _chain_wants_more(turn, task))
    )


def _chain_wants_more(turn: Turn, task: Task) -> bool:
    """Tell whether the chain has no consensus although the forecast does: a weight fell since it was read.

    Then one worker at a time is asked, until the chain is content.
    """
    unconvinced = task.task_id in turn.state.unconvinced
    return unconvinced and not pending_of(task, turn.state.workers, turn.now)


def serve(turn: Turn) -> None:
    """Match what changed in this turn: tasks that became ready with free workers, free workers with tasks."""
    state = turn.state
    ready: list[Task] = []
    for task_id in turn.reshelve:
        task = state.tasks.get(task_id)
        if task is None or not is_suppliable(turn, task):
            state.waiting.remove(task_id)
        elif state.waiting.add(task):
            ready.append(task)
    for wallet in turn.recount:
        _recount(turn, wallet)
    if not state.chain_up:
        return
    for task in supply.in_turn(ready) if len(ready) > 1 else ready:
        _give(turn, task)
    for wallet in turn.recount:
        _fill(turn, wallet)


def _recount(turn: Turn, wallet: str) -> None:
    worker = turn.state.workers.get(wallet)
    if worker is None or free_slots(turn, worker) <= 0:
        turn.state.free.remove(wallet)
    elif wallet not in turn.state.free:
        turn.state.free.add(wallet, ability_of(worker.model))


def _give(turn: Turn, task: Task) -> None:
    need = need_of(task.terms.tag)
    while task.task_id in turn.state.waiting:
        wallet = turn.state.free.first_for(need, lambda found: found not in task.replicates)
        if wallet is None:
            return
        _assign(turn, task, wallet)


def _fill(turn: Turn, wallet: str) -> None:
    state = turn.state
    ability = ability_of(state.workers[wallet].model) if wallet in state.workers else None
    if state.fruitless.get(wallet) == state.waiting.version:
        return
    while ability is not None and wallet in state.free and len(state.waiting):
        task_id = state.waiting.best_for(ability, lambda found: _suits(turn, state.tasks[found], wallet))
        if task_id is None:
            state.fruitless[wallet] = state.waiting.version
            return
        _assign(turn, state.tasks[task_id], wallet)


def arm_pending(turn: Turn, task: Task, replicate: Replicate) -> None:
    """Look at a task's need again when a replicate no longer counts as a contribution to come."""
    stale = pending_until(replicate, task)
    if turn.now < stale < task.terms.contribution_deadline:
        turn.state.timers.set(Alarm.PENDING_STALE, task.task_id, stale, replicate.wallet)


def _suits(turn: Turn, task: Task, wallet: str) -> bool:
    """A wallet gets a task once, ever."""
    return wallet not in task.replicates and task.terms.contribution_deadline > turn.now


def _assign(turn: Turn, task: Task, wallet: str) -> None:
    state = turn.state
    replicate = turn.create_replicate(task, wallet, state.weights[wallet])
    arm_pending(turn, task, replicate)
    worker = state.workers[wallet]
    if free_slots(turn, worker) > 0:
        state.free.add(wallet, ability_of(worker.model))
    else:
        state.free.remove(wallet)
    state.waiting.served(task)
    if not wants_more(task, state.workers, turn.now):
        state.waiting.remove(task.task_id)
