"""What keeps each worker of the pool from a task, and what keeps the task from all of them.

The first obstacle in the order of `Obstacle` blocks a worker. The obstacle of the task is the last one that blocks a
worker: without it, that worker would take the task.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from workerpool_core.domain.dispatch.dispatcher import idle_slots, slots_of
from workerpool_core.domain.dispatch.eligibility import insufficient_memory
from workerpool_core.domain.dispatch.hardware import Requirement, capability_of, requirement_of
from workerpool_core.domain.dispatch.paid_work import has_stake_for, is_at_newcomer_limit, paid_room
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import DealTerms, Task
from workerpool_core.domain.state import State


class Obstacle(IntEnum):
    """What keeps a worker from a task, in the order of the checks; FREE is none."""

    DISCONNECTED = 0
    WRONG_HARDWARE = 1
    TRIED = 2
    TOO_SMALL = 3
    UNLISTED = 4
    DRAINED = 5
    QUARANTINED = 6
    PARKED = 7
    WITHOUT_GAS = 8
    WITHOUT_STAKE = 9
    NEWCOMERS = 10
    SILENT = 11
    BUSY = 12
    FREE = 13


class Needs(NamedTuple):
    """What a task requires of its workers: tag, trust, and the nRLC that each locks."""

    tag: str
    trust: int = 1
    worker_stake: int = 0

    @classmethod
    def of(cls, terms: DealTerms) -> "Needs":
        """Return the needs of the tasks of a deal."""
        return cls(terms.tag, terms.trust, terms.worker_stake)


PLAIN = Needs("0x" + "0" * 64)
"""The needs of a free standard task of trust 1, which every worker can compute."""

_Survey = Mapping[Obstacle, Sequence[LiveWorker]]


class BlockedWorkers:
    """The workers by the obstacle that blocks them from a task."""

    def __init__(self, survey: _Survey) -> None:
        self._survey = survey
        self.obstacle = max(survey, default=Obstacle.DISCONNECTED)
        """What keeps the task from all of them."""

    @property
    def workers(self) -> Sequence[LiveWorker]:
        """The workers that only the last obstacle blocks."""
        return self._survey.get(self.obstacle, ())

    @property
    def counts(self) -> dict[str, object]:
        """The number of workers by obstacle, under the keys of evidence, with that of all connected ones."""
        named = {key.name.lower(): len(self._survey[key]) for key in sorted(self._survey)}
        connected = sum(named.values()) - named.get("disconnected", 0)
        return {"connected": connected, **named}


class Obstacles:
    """The obstacles at one moment. What tasks with the same needs share is computed once, for lists of tasks."""

    def __init__(self, state: State, now: float) -> None:
        self._state = state
        self._now = now
        self._surveys: dict[tuple[Requirement, int], _Survey] = {}

    def of_task(self, task: Task) -> BlockedWorkers:
        """Return what keeps workers from a task that needs one."""
        survey = self._survey(Needs.of(task.terms))
        too_small = insufficient_memory(self._state.workers, task)
        if task.replicates or too_small:
            survey = _of_this_task(survey, task, too_small)
        return BlockedWorkers(survey)

    def of_new_task(self, needs: Needs) -> BlockedWorkers:
        """Return what keeps workers from a new task."""
        return BlockedWorkers(self._survey(needs))

    def _survey(self, needs: Needs) -> _Survey:
        requirement, stake = requirement_of(needs.tag), needs.worker_stake
        found = self._surveys.get((requirement, stake))
        if found is None:
            by: dict[Obstacle, list[LiveWorker]] = {}
            for live in self._state.workers.values():
                by.setdefault(self._of_worker(live, requirement, stake), []).append(live)
            found = self._surveys[requirement, stake] = by
        return found

    def _of_worker(self, live: LiveWorker, requirement: Requirement, stake: int) -> Obstacle:
        worker, state = live.worker, self._state
        if live.session is None or worker.lost:
            return Obstacle.DISCONNECTED
        if not capability_of(worker.model).meets(requirement):
            return Obstacle.WRONG_HARDWARE
        if slots_of(worker, state.policy.slot_memory_bytes) <= 0:
            return Obstacle.TOO_SMALL
        if not state.is_admitted(worker.wallet):
            return Obstacle.UNLISTED
        if worker.drained_until > self._now:
            return Obstacle.DRAINED
        if worker.quarantine_end > self._now:
            return Obstacle.QUARANTINED
        if live.parked_reason:
            return Obstacle.PARKED
        if live.weight <= 0:
            return Obstacle.WITHOUT_GAS
        return self._of_able_worker(live, stake)

    def _of_able_worker(self, live: LiveWorker, stake: int) -> Obstacle:
        if not has_stake_for(live, stake):
            return Obstacle.WITHOUT_STAKE
        if stake > 0 and paid_room(self._state, live, stake) <= 0:
            at_limit = is_at_newcomer_limit(self._state, live)
            return Obstacle.NEWCOMERS if at_limit else Obstacle.WITHOUT_STAKE
        if live.silent:
            return Obstacle.SILENT
        return Obstacle.FREE if idle_slots(self._state, live, self._now) > 0 else Obstacle.BUSY


def _of_this_task(survey: _Survey, task: Task, too_small: int) -> _Survey:
    """Return the workers with the obstacles of one task: those that tried it, and those whose slots are too small."""
    found: dict[Obstacle, list[LiveWorker]] = {}
    for obstacle, workers in survey.items():
        for live in workers:
            own = obstacle
            if obstacle > Obstacle.TRIED and live.worker.wallet in task.replicates:
                own = Obstacle.TRIED
            elif obstacle > Obstacle.TOO_SMALL and live.worker.model.memory_of_slot <= too_small:
                own = Obstacle.TOO_SMALL
            found.setdefault(own, []).append(live)
    return found
