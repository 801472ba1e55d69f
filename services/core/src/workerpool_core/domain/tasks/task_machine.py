"""The table of the task state machine (core spec §1.2).

Each `*_FAILED`, `*_TIMEOUT` and FINAL_DEADLINE_REACHED is written together with the FAILED after it, so no stored task
has one of them as its status.
"""

from collections.abc import Mapping, Sequence

from workerpool_poco.protocol.statuses import FAILURE_TASK_STATUSES, FINAL_TASK_STATUSES, TaskStatus

_T = TaskStatus

_STEPS: dict[TaskStatus, tuple[TaskStatus, ...]] = {
    _T.RECEIVED: (_T.INITIALIZING, _T.INITIALIZE_FAILED),
    _T.INITIALIZING: (_T.INITIALIZED, _T.INITIALIZE_FAILED),
    _T.INITIALIZED: (_T.RUNNING, _T.CONTRIBUTION_TIMEOUT),
    _T.RUNNING: (_T.CONSENSUS_REACHED, _T.FINALIZED, _T.RUNNING_FAILED, _T.CONTRIBUTION_TIMEOUT),
    _T.CONSENSUS_REACHED: (_T.AT_LEAST_ONE_REVEALED, _T.REOPENING),
    _T.REOPENING: (_T.REOPENED, _T.REOPEN_FAILED),
    _T.REOPENED: (_T.INITIALIZED,),
    _T.AT_LEAST_ONE_REVEALED: (_T.RESULT_UPLOADING,),
    _T.RESULT_UPLOADING: (_T.RESULT_UPLOADING, _T.RESULT_UPLOADED, _T.RESULT_UPLOAD_TIMEOUT),
    _T.RESULT_UPLOADED: (_T.FINALIZING, _T.FINALIZE_FAILED),
    _T.FINALIZING: (_T.FINALIZED, _T.FINALIZE_FAILED),
    _T.FINALIZED: (_T.COMPLETED,),
}


def _transitions() -> Mapping[TaskStatus, frozenset[TaskStatus]]:
    table: dict[TaskStatus, frozenset[TaskStatus]] = {}
    for status in TaskStatus:
        if status in FAILURE_TASK_STATUSES:
            table[status] = frozenset({_T.FAILED})
        elif status in FINAL_TASK_STATUSES:
            table[status] = frozenset()
        else:
            table[status] = frozenset(_STEPS[status]) | {_T.FINAL_DEADLINE_REACHED}
    return table


TASK_TRANSITIONS = _transitions()
"""The statuses that may follow each status; FINAL_DEADLINE_REACHED may follow each status that is not final."""

_NEXT_TO_COMPLETED: dict[TaskStatus, TaskStatus] = {
    _T.RECEIVED: _T.INITIALIZING,
    _T.INITIALIZING: _T.INITIALIZED,
    _T.INITIALIZED: _T.RUNNING,
    _T.RUNNING: _T.FINALIZED,
    _T.REOPENING: _T.REOPENED,
    _T.REOPENED: _T.INITIALIZED,
    _T.CONSENSUS_REACHED: _T.AT_LEAST_ONE_REVEALED,
    _T.AT_LEAST_ONE_REVEALED: _T.RESULT_UPLOADING,
    _T.RESULT_UPLOADING: _T.RESULT_UPLOADED,
    _T.RESULT_UPLOADED: _T.FINALIZING,
    _T.FINALIZING: _T.FINALIZED,
    _T.FINALIZED: _T.COMPLETED,
}


class IllegalTaskTransition(Exception):
    """A transition that the table does not allow: a defect of the scheduler, never of its input."""


def may_follow(current: TaskStatus, new: TaskStatus) -> bool:
    """Return whether a task with the status `current` may enter `new`."""
    return new in TASK_TRANSITIONS[current]


def path_to_completed(current: TaskStatus) -> Sequence[TaskStatus]:
    """Return the statuses from `current` to COMPLETED, for a task that the chain completed before the pool did."""
    path: list[TaskStatus] = []
    while current in _NEXT_TO_COMPLETED:
        current = _NEXT_TO_COMPLETED[current]
        path.append(current)
    return path
