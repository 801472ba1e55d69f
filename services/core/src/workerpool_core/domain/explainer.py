"""The single source of reasons for tasks, workers and the pool at one moment."""

from workerpool_poco.protocol.ids import TaskId

from workerpool_core.domain.dispatch.idle_reason import IdleReasons, refused
from workerpool_core.domain.dispatch.obstacles import PLAIN
from workerpool_core.domain.dispatch.waiting_reason import WaitingReasons, chain_reason
from workerpool_core.domain.explanations.conditions import NO_CONDITIONS, Conditions
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.tasks import reason_of_task
from workerpool_core.domain.model import Task
from workerpool_core.domain.state import State


class Explainer:
    """Reasons for one answer; the instance caches what many tasks and workers share, so do not keep it."""

    def __init__(self, state: State, now: float, conditions: Conditions = NO_CONDITIONS) -> None:
        """Explain `state` at `now` (Unix seconds)."""
        self._state = state
        self._conditions = conditions
        self._waiting = WaitingReasons(state, now, conditions)
        self._idle = IdleReasons(state, now, conditions)

    def waiting(self, task_id: TaskId) -> Explanation | None:
        """Return why a task makes no progress; None while it does, and for a task that is not in memory."""
        task = self._state.task(task_id)
        return self._waiting.of(task) if task is not None else None

    def task(self, task: Task) -> Explanation | None:
        """Return why a task waits or failed, or which failure its result stands for; None for a good result."""
        return reason_of_task(task, self.waiting(task.task_id))

    def worker(self, wallet: str) -> Explanation | None:
        """Return why a worker gets no further task; None for a wallet that never registered and was not refused."""
        if wallet in self._state.workers:
            return self._idle.of(wallet)
        refusal = self._conditions.refusal(wallet)
        return refused(refusal) if refusal is not None else None

    def pool(self) -> list[Explanation]:
        """Return what hinders the pool as a whole, the worst first; nothing when its tasks can be computed."""
        found = [chain_reason(self._state), *self._conditions.problems, self._waiting.of_new_task(PLAIN)]
        return [each for each in found if each is not None]
