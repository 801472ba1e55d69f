"""The supply of the pool: the slots that are free for further tasks, without those that bought tasks will take.

A task counts from the block of its deal until it has consensus or ends: while it waits, its slots are pending; once it
is assigned, it occupies the slot of its worker. So the order publisher never sells a slot twice.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from workerpool_poco.protocol.consensus import contributions_needed

from workerpool_core.domain.dispatch.dispatcher import idle_slots, slots_of
from workerpool_core.domain.dispatch.hardware import Capability, capability_of
from workerpool_core.domain.dispatch.paid_work import paid_room
from workerpool_core.domain.live import LiveTask
from workerpool_core.domain.replicates.consensus_forecast import (
    contributors,
    pending_contributions,
    wants_more,
)
from workerpool_core.domain.state import State


@dataclass(frozen=True, slots=True, order=True)
class WorkerGroup:
    """Workers with the same hardware and the same number of free slots each."""

    capability: Capability
    free_slots: int
    workers: int


@dataclass(frozen=True, slots=True)
class PoolSupply:
    """The supply at one moment; workers appear only as counts.

    `groups` are the connected workers with a free slot. `total_slots` are those of all connected workers and
    `gpu_slots` those of them with a GPU. `pending_slots` are the slots that bought tasks will take. `accepts_work` is
    false while the chain is down, when nothing is assigned.
    """

    groups: tuple[WorkerGroup, ...]
    live_workers: int
    total_slots: int
    gpu_slots: int
    pending_slots: int
    drained_workers: int
    quarantined_workers: int
    accepts_work: bool

    @property
    def free_slots(self) -> int:
        """The slots that can be sold."""
        return max(sum(group.free_slots * group.workers for group in self.groups) - self.pending_slots, 0)


def pool_supply(state: State, now: float, worker_stake: int) -> PoolSupply:
    """Return the supply for tasks that each lock `worker_stake` nRLC of their worker; 0 for free tasks."""
    idle: Counter[tuple[Capability, int]] = Counter()
    able: dict[str, None] = {}
    total = gpu = live_workers = drained = quarantined = 0
    for wallet, live in state.workers.items():
        worker = live.worker
        if live.session is None or worker.lost:
            continue
        live_workers += 1
        capability = capability_of(worker.model)
        slots = slots_of(worker, state.policy.slot_memory_bytes)
        total += slots
        gpu += slots if capability.gpu else 0
        drained += worker.drained_until > now
        quarantined += worker.quarantine_end > now
        able[wallet] = None
        free = idle_slots(state, live, now)
        if free > 0 and worker_stake > 0:
            free = min(free, paid_room(state, live, worker_stake))
        if free > 0:
            idle[capability, free] += 1
    return PoolSupply(
        groups=tuple(sorted(WorkerGroup(*key, workers=count) for key, count in idle.items())),
        live_workers=live_workers,
        total_slots=total,
        gpu_slots=gpu,
        pending_slots=_pending_slots(state, now, able),
        drained_workers=drained,
        quarantined_workers=quarantined,
        accepts_work=state.chain_up,
    )


def _pending_slots(state: State, now: float, able: Mapping[str, None]) -> int:
    """Return the slots that the tasks bought so far will take besides those that they occupy now."""
    needed: dict[int, int] = {}
    pending = 0
    for live in state.tasks.values():
        pending += _slots_needed(state, live, now, able, needed)
    for deal in state.bags.values():
        pending += deal.queued * _contributions(deal.deal.terms.trust, needed)
    return pending


def _slots_needed(
    state: State, live: LiveTask, now: float, able: Mapping[str, None], needed: dict[int, int]
) -> int:
    task = live.task
    if task.ended or task.consensus or task.error_cause is not None or live.unsatisfiable:
        return 0
    if task.terms.contribution_deadline <= now:
        return 0
    most = _contributions(task.terms.trust, needed)
    if not task.replicates:
        return most
    if not wants_more(task, state.workers, now):
        return 0
    # A worker gets a task only once, so a task that every worker has tried takes no slot.
    untried = len(able) - sum(wallet in able for wallet in task.replicates)
    under_way = len(contributors(task)) + len(pending_contributions(task, state.workers, now))
    return min(max(most - under_way, 1), untried)


def _contributions(trust: int, needed: dict[int, int]) -> int:
    """Return the workers without history that reach consensus, from `needed` when it was computed before."""
    if trust not in needed:
        needed[trust] = contributions_needed(trust)
    return needed[trust]
