"""Why a task makes no progress now, and what would change that: for requesters and operators."""

from collections.abc import Mapping

from workerpool_kit.text.spans import utc
from workerpool_poco.protocol.statuses import WAITING_CONTRIBUTION_TASK_STATUSES, TaskStatus

from workerpool_core.domain.dispatch.hardware import needs_enclave
from workerpool_core.domain.dispatch.obstacle_reasons import Case, obstacle_reason
from workerpool_core.domain.dispatch.obstacles import BlockedWorkers, Needs, Obstacle, Obstacles
from workerpool_core.domain.dispatch.satisfiability import find_lack
from workerpool_core.domain.events import ChainProblem
from workerpool_core.domain.explanations.conditions import ADAPTER, NO_CONDITIONS, Conditions
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import reason
from workerpool_core.domain.model import Task
from workerpool_core.domain.state import State

_R = ReasonCode
_T = TaskStatus
REFUSALS_S = 3600.0
"""Age up to which a refused login explains that no worker is connected."""
_BEFORE_WORKERS = frozenset({_T.RECEIVED, _T.INITIALIZING})
_NEEDS_PROXY = frozenset({_T.AT_LEAST_ONE_REVEALED, _T.RESULT_UPLOADING})
_PROXY = frozenset({_R.RESULT_PROXY_DOWN})
_CHAIN: Mapping[ChainProblem, ReasonCode] = {
    ChainProblem.SILENT: _R.NODE_DOWN,
    ChainProblem.BEHIND: _R.NODE_BEHIND,
    ChainProblem.ANOTHER_CHAIN: _R.NODE_OF_ANOTHER_CHAIN,
}


def chain_reason(state: State) -> Explanation | None:
    """Return why core cannot rely on the node; None while it can."""
    if state.chain_up:
        return None
    return reason(_CHAIN[state.chain.problem], evidence={"problem": state.chain.message})


def obstacle(state: State, task: Task, now: float) -> Explanation:
    """Return why none of the workers takes a task that needs one."""
    return WaitingReasons(state, now).obstacle(task)


class WaitingReasons:
    """The reasons of many tasks at one moment; what they share is computed once."""

    def __init__(self, state: State, now: float, conditions: Conditions = NO_CONDITIONS) -> None:
        self._state = state
        self._now = now
        self._conditions = conditions
        self._obstacles = Obstacles(state, now)
        self._lacks: dict[tuple[int, str], Explanation | None] = {}
        recent = now - REFUSALS_S
        self._refusals = tuple(each for each in conditions.refusals if each.last_at > recent)

    def of(self, task: Task) -> Explanation | None:
        """Return why a live task makes no progress; None while it does, and when it ended."""
        if task.ended:
            return None
        return (
            chain_reason(self._state)
            or self._service(task)
            or self._lack(task)
            or self._enclave(task)
            or self._pause(task)
            or (self.obstacle(task) if self._needs_worker(task) else None)
        )

    def obstacle(self, task: Task) -> Explanation:
        """Return why none of the workers takes a task that needs one: the last obstacle that all of them share."""
        return self._reason(Needs.of(task.terms), self._obstacles.of_task(task))

    def _reason(self, needs: Needs, blocked: BlockedWorkers) -> Explanation:
        return obstacle_reason(Case(self._state, needs, blocked, self._refusals))

    def of_new_task(self, needs: Needs) -> Explanation | None:
        """Return why no worker could take a new task; None while only busy slots prevent it."""
        blocked = self._obstacles.of_new_task(needs)
        return self._reason(needs, blocked) if blocked.obstacle < Obstacle.BUSY else None

    def _needs_worker(self, task: Task) -> bool:
        return task.status in WAITING_CONTRIBUTION_TASK_STATUSES and task.task_id in self._state.waiting

    def _service(self, task: Task) -> Explanation | None:
        """Return the problem of the service that the task waits for; None while it works."""
        if self._awaits_transaction(task) and (found := self._conditions.problem(ADAPTER)) is not None:
            return found
        if problem := self._state.tasks[task.task_id].service_problem:
            return problem._replace(message=problem.sentence)
        if task.status in _NEEDS_PROXY:
            return self._conditions.problem(_PROXY)
        return None

    @staticmethod
    def _awaits_transaction(task: Task) -> bool:
        match task.status:
            case _T.RECEIVED:
                return not needs_enclave(task.terms.tag)
            case _T.INITIALIZING:
                return not task.initialization_block
            case status:
                return status in (_T.FINALIZING, _T.REOPENING)

    def _lack(self, task: Task) -> Explanation | None:
        if not (self._needs_worker(task) or task.status in _BEFORE_WORKERS):
            return None
        key = (task.terms.trust, task.terms.tag)
        if key not in self._lacks:
            workers, policy = self._state.workers.values(), self._state.policy
            self._lacks[key] = find_lack(workers, policy, task.terms)
        if (lack := self._lacks[key]) is None:
            return None
        return lack._replace(message=f"No set of the pool's workers can satisfy the task: {lack.message}.")

    def _enclave(self, task: Task) -> Explanation | None:
        tag = task.terms.tag
        if task.status is _T.RECEIVED and needs_enclave(tag):
            message = (
                "The platform registry and its SMS have not answered yet whether an SMS serves the task."
            )
            return reason(_R.WAITING_FOR_SMS, message, evidence={"tag": tag})
        if task.status is _T.INITIALIZING and task.initialization_block:
            message = (
                "The secret management service has not answered yet with the enclave challenge of the task."
            )
            return reason(_R.WAITING_FOR_SMS, message, evidence={"tag": tag})
        return None

    def _pause(self, task: Task) -> Explanation | None:
        end = self._state.tasks[task.task_id].paused_until
        if task.status not in WAITING_CONTRIBUTION_TASK_STATUSES or end <= self._now:
            return None
        failed = [
            change
            for replicate in task.replicates.values()
            for change in replicate.history
            if change.cause is not None
        ]
        cause = max(failed, key=lambda each: each.date).cause if failed else None
        return reason(
            _R.PAUSED_AFTER_FAILURE,
            f"The task waits until {utc(end)} after a failure of a service or of the chain.",
            until=end,
            cause=cause,
        )
