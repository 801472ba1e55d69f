"""Why a worker gets no work now, and what would change that: for its operator."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from workerpool_kit.text.spans import utc

from workerpool_core.domain.dispatch.dispatcher import idle_slots, slots_of
from workerpool_core.domain.dispatch.hardware import Capability, Requirement, capability_of, requirement_of
from workerpool_core.domain.dispatch.paid_work import has_stake_for
from workerpool_core.domain.dispatch.waiting_reason import chain_reason
from workerpool_core.domain.explanations.conditions import NO_CONDITIONS, Conditions, RefusedLogin
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import reason
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Task
from workerpool_core.domain.state import State

_R = ReasonCode
_FOREVER = float("inf")
_SAMPLE_SIZE = 200
"""Waiting tasks compared with a worker: any caller may request this, and a pool may hold many thousands."""
_OBSTACLES = {
    "wrong_hardware": "need a GPU or an enclave",
    "tried": "were tried by it already",
    "without_stake": "need more stake than it has deposited",
}
"""Why a worker cannot take tasks, as a predicate after their number, by key of evidence."""


def refused(refusal: RefusedLogin) -> Explanation:
    """Return that core refused the last login of a worker."""
    return reason(
        _R.WORKER_REFUSED,
        f"Core refused the login of the worker: {refusal.message}.",
        evidence={"refusal": refusal.reason, "times": refusal.count, "refused_at": utc(refusal.last_at)},
    )


class IdleReasons:
    """The reasons of many workers at one moment; what they share is computed once."""

    def __init__(self, state: State, now: float, conditions: Conditions = NO_CONDITIONS) -> None:
        self._state = state
        self._now = now
        self._conditions = conditions
        self._chain = chain_reason(state)
        self._sample: _WaitingSample | None = None

    def of(self, wallet: str) -> Explanation:
        """Return why a registered worker gets no further task."""
        live = self._state.workers[wallet]
        return (
            self._absence(live)
            or self._pause(live)
            or _inability(live)
            or self._chain
            or self._lack_of_slots(live)
            or self._lack_of_tasks(live)
        )

    def _absence(self, live: LiveWorker) -> Explanation | None:
        if live.session is not None:
            return None
        seen = utc(live.worker.last_seen)
        if live.away_until > self._now:
            message = f"The worker stopped and announced its return by {utc(live.away_until)}."
            return reason(_R.WORKER_AWAY, message, until=live.away_until, evidence={"last_seen": seen})
        refusal = self._conditions.refusal(live.worker.wallet)
        if refusal is not None and refusal.last_at >= live.worker.last_seen:
            return refused(refusal)
        return reason(
            _R.WORKER_DISCONNECTED,
            f"The worker has not been connected since {seen}.",
            evidence={"last_seen": seen},
        )

    def _pause(self, live: LiveWorker) -> Explanation | None:
        worker = live.worker
        if not self._state.is_admitted(worker.wallet):
            return reason(_R.WORKER_UNLISTED)
        if worker.drained_until > self._now:
            end = "" if worker.drained_until == _FOREVER else f" until {utc(worker.drained_until)}"
            message = f"The pool's operator is draining the worker{end}."
            return reason(_R.WORKER_DRAINED, message, until=worker.drained_until)
        if worker.quarantine_end > self._now:
            return _quarantined(live)
        if live.parked_reason:
            message = f"The worker takes no work: {live.parked_reason}"
            return reason(_R.WORKER_PARKED, message, evidence={"parked_reason": live.parked_reason})
        return None

    def _lack_of_slots(self, live: LiveWorker) -> Explanation | None:
        if idle_slots(self._state, live, self._now) > 0:
            return None
        needed = self._state.policy.slot_memory_bytes
        slots = slots_of(live.worker, needed)
        if slots <= 0:
            memory = live.worker.model.memory_bytes
            return reason(_R.WORKER_WITHOUT_MEMORY, evidence={"memory_bytes": memory, "needed_bytes": needed})
        message = f"All its {slots} slots are in use." if slots > 1 else "Its slot is in use."
        return reason(_R.WORKER_BUSY, message, evidence={"slots": slots})

    def _lack_of_tasks(self, live: LiveWorker) -> Explanation:
        if self._sample is None:
            self._sample = _sample_waiting(self._state)
        tasks = self._sample
        if not tasks.total:
            return reason(_R.NO_TASK_WAITS)
        capability = capability_of(live.worker.model)
        obstacles: Counter[str] = Counter()
        for (requirement, stake), count in tasks.fresh.items():
            obstacles[_obstacle(live, capability, requirement, stake)] += count
        for task in tasks.started:
            requirement, stake = requirement_of(task.terms.tag), task.terms.worker_stake
            obstacles[_obstacle(live, capability, requirement, stake, task)] += 1
        if obstacles[""]:
            return reason(_R.TASK_IS_COMING)
        del obstacles[""]
        counts = ", ".join(f"{count} {_OBSTACLES[key]}" for key, count in obstacles.most_common())
        return reason(
            _R.NO_TASK_FITS,
            f"It can take none of the {tasks.total} waiting tasks that core compared with it: {counts}.",
            evidence={"waiting_tasks": len(self._state.waiting), **obstacles},
        )


class _WaitingSample(NamedTuple):
    """A sample of the waiting tasks: `fresh` counts untried ones by their needs, `started` are the others."""

    total: int
    fresh: Counter[tuple[Requirement, int]]
    started: list[Task]


def _sample_waiting(state: State) -> _WaitingSample:
    tasks = list(islice(_waiting(state), _SAMPLE_SIZE))
    fresh = Counter(
        (requirement_of(task.terms.tag), task.terms.worker_stake) for task in tasks if not task.replicates
    )
    return _WaitingSample(len(tasks), fresh, [task for task in tasks if task.replicates])


def _quarantined(live: LiveWorker) -> Explanation:
    worker = live.worker
    end = worker.quarantine_end
    until = "" if end == _FOREVER else f" until {utc(end)}"
    if worker.suspended_until >= end:
        return reason(
            _R.WORKER_QUARANTINED,
            f"The pool's operator has put the worker in quarantine{until}.",
            next_step="Ask the operator to release it.",
            until=end,
            evidence={"by_operator": "true"},
        )
    return reason(
        _R.WORKER_QUARANTINED,
        f"The worker is in quarantine{until} after {worker.consecutive_failures} failures in a row.",
        until=end,
        evidence={"failures": worker.consecutive_failures},
    )


def _inability(live: LiveWorker) -> Explanation | None:
    if live.weight <= 0:
        return reason(_R.WORKER_WITHOUT_GAS)
    if live.silent:
        return reason(_R.WORKER_SILENT, evidence={"unanswered": len(live.unanswered)})
    return None


def _waiting(state: State) -> Iterator[Task]:
    for task_id in state.waiting:
        if (task := state.task(task_id)) is not None:
            yield task


def _obstacle(
    live: LiveWorker, capability: Capability, requirement: Requirement, stake: int, task: Task | None = None
) -> str:
    """Return the key of what keeps a worker from a task, or an empty text; `task` is set when workers tried it."""
    if not capability.meets(requirement):
        return "wrong_hardware"
    if task is not None and live.worker.wallet in task.replicates:
        return "tried"
    return "" if has_stake_for(live, stake) else "without_stake"
