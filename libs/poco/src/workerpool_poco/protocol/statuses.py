"""Statuses of tasks, replicates and contributions, in the protocol's spelling and order (core spec §1.1, §2.1)."""

from enum import IntEnum, StrEnum

from workerpool_poco.protocol.causes import ReplicateStatusCause

__all__ = [
    "COMPLETION_TASK_STATUSES",
    "DEAD_END_REPLICATE_STATUSES",
    "FAILURE_TASK_STATUSES",
    "FINAL_REPLICATE_STATUSES",
    "FINAL_TASK_STATUSES",
    "INTERLUDE_REPLICATE_STATUSES",
    "RUNNING_REPLICATE_STATUSES",
    "SCHEDULER_REPLICATE_STATUSES",
    "WAITING_CONTRIBUTION_TASK_STATUSES",
    "WAITING_REVEAL_TASK_STATUSES",
    "WORKER_REPLICATE_STATUSES",
    "ChainTaskStatus",
    "ContributionStatus",
    "ReplicateStatus",
    "ReplicateStatusCause",
    "TaskStatus",
]


class TaskStatus(StrEnum):
    """The scheduler's status of a task, in the order of progress."""

    RECEIVED = "RECEIVED"
    INITIALIZING = "INITIALIZING"
    INITIALIZED = "INITIALIZED"
    INITIALIZE_FAILED = "INITIALIZE_FAILED"
    RUNNING = "RUNNING"
    RUNNING_FAILED = "RUNNING_FAILED"
    CONTRIBUTION_TIMEOUT = "CONTRIBUTION_TIMEOUT"
    CONSENSUS_REACHED = "CONSENSUS_REACHED"
    REOPENING = "REOPENING"
    REOPENED = "REOPENED"
    REOPEN_FAILED = "REOPEN_FAILED"
    AT_LEAST_ONE_REVEALED = "AT_LEAST_ONE_REVEALED"
    RESULT_UPLOADING = "RESULT_UPLOADING"
    RESULT_UPLOADED = "RESULT_UPLOADED"
    RESULT_UPLOAD_TIMEOUT = "RESULT_UPLOAD_TIMEOUT"
    FINALIZING = "FINALIZING"
    FINALIZED = "FINALIZED"
    FINALIZE_FAILED = "FINALIZE_FAILED"
    FINAL_DEADLINE_REACHED = "FINAL_DEADLINE_REACHED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"

    @property
    def order(self) -> int:
        """Return the position in the protocol's order, from 0."""
        return _TASK_ORDER[self]


_TASK_ORDER = {status: position for position, status in enumerate(TaskStatus)}


class ReplicateStatus(StrEnum):
    """The status of one worker's execution of a task, in the order of the protocol."""

    CREATED = "CREATED"
    STARTING = "STARTING"
    START_FAILED = "START_FAILED"
    STARTED = "STARTED"
    APP_DOWNLOADING = "APP_DOWNLOADING"
    APP_DOWNLOAD_FAILED = "APP_DOWNLOAD_FAILED"
    APP_DOWNLOADED = "APP_DOWNLOADED"
    DATA_DOWNLOADING = "DATA_DOWNLOADING"
    DATA_DOWNLOAD_FAILED = "DATA_DOWNLOAD_FAILED"
    DATA_DOWNLOADED = "DATA_DOWNLOADED"
    COMPUTING = "COMPUTING"
    COMPUTE_FAILED = "COMPUTE_FAILED"
    COMPUTED = "COMPUTED"
    CONTRIBUTING = "CONTRIBUTING"
    CONTRIBUTE_FAILED = "CONTRIBUTE_FAILED"
    CONTRIBUTED = "CONTRIBUTED"
    REVEALING = "REVEALING"
    REVEAL_FAILED = "REVEAL_FAILED"
    REVEALED = "REVEALED"
    RESULT_UPLOAD_REQUESTED = "RESULT_UPLOAD_REQUESTED"
    RESULT_UPLOADING = "RESULT_UPLOADING"
    RESULT_UPLOAD_FAILED = "RESULT_UPLOAD_FAILED"
    RESULT_UPLOADED = "RESULT_UPLOADED"
    CONTRIBUTE_AND_FINALIZE_ONGOING = "CONTRIBUTE_AND_FINALIZE_ONGOING"
    CONTRIBUTE_AND_FINALIZE_FAILED = "CONTRIBUTE_AND_FINALIZE_FAILED"
    CONTRIBUTE_AND_FINALIZE_DONE = "CONTRIBUTE_AND_FINALIZE_DONE"
    COMPLETING = "COMPLETING"
    COMPLETE_FAILED = "COMPLETE_FAILED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    RECOVERING = "RECOVERING"
    WORKER_LOST = "WORKER_LOST"

    @property
    def order(self) -> int:
        """Return the position in the protocol's order, from 0."""
        return _REPLICATE_ORDER[self]


_REPLICATE_ORDER = {status: position for position, status in enumerate(ReplicateStatus)}


class ChainTaskStatus(IntEnum):
    """The contract's status of a task (`viewTask`)."""

    UNSET = 0
    ACTIVE = 1
    REVEALING = 2
    COMPLETED = 3
    FAILED = 4


class ContributionStatus(IntEnum):
    """The contract's status of a contribution (`viewContribution`); PROVED means revealed."""

    UNSET = 0
    CONTRIBUTED = 1
    PROVED = 2
    REJECTED = 3


_T = TaskStatus
_R = ReplicateStatus

WAITING_CONTRIBUTION_TASK_STATUSES = frozenset({_T.INITIALIZED, _T.RUNNING})
"""The task accepts contributions."""

WAITING_REVEAL_TASK_STATUSES = frozenset(
    {_T.CONSENSUS_REACHED, _T.AT_LEAST_ONE_REVEALED, _T.RESULT_UPLOADING, _T.RESULT_UPLOADED}
)
"""Winners may reveal."""

COMPLETION_TASK_STATUSES = frozenset({_T.FINALIZING, _T.FINALIZED, _T.COMPLETED})
"""The result is uploaded; finalization is due or done."""

FINAL_TASK_STATUSES = frozenset({_T.COMPLETED, _T.FAILED})
"""The last statuses of a task."""

FAILURE_TASK_STATUSES = frozenset(
    {
        _T.INITIALIZE_FAILED,
        _T.RUNNING_FAILED,
        _T.CONTRIBUTION_TIMEOUT,
        _T.REOPEN_FAILED,
        _T.RESULT_UPLOAD_TIMEOUT,
        _T.FINALIZE_FAILED,
        _T.FINAL_DEADLINE_REACHED,
    }
)
"""The reason for a failure; FAILED follows in the history."""

FINAL_REPLICATE_STATUSES = frozenset({_R.COMPLETED, _R.FAILED})
"""The last statuses of a replicate."""

INTERLUDE_REPLICATE_STATUSES = frozenset({_R.WORKER_LOST, _R.RECOVERING})
"""Statuses of the worker and not of its work; the last relevant status skips them."""

DEAD_END_REPLICATE_STATUSES = frozenset(
    {
        _R.START_FAILED,
        _R.COMPUTE_FAILED,
        _R.CONTRIBUTE_FAILED,
        _R.REVEAL_FAILED,
        _R.CONTRIBUTE_AND_FINALIZE_FAILED,
        _R.COMPLETE_FAILED,
        _R.ABORTED,
        _R.COMPLETED,
        _R.FAILED,
    }
)
"""The worker does no more work on the task. (A failed download may still contribute its error.)"""

RUNNING_REPLICATE_STATUSES = frozenset(
    {
        _R.STARTED,
        _R.APP_DOWNLOADING,
        _R.APP_DOWNLOAD_FAILED,
        _R.APP_DOWNLOADED,
        _R.DATA_DOWNLOADING,
        _R.DATA_DOWNLOAD_FAILED,
        _R.DATA_DOWNLOADED,
        _R.COMPUTING,
        _R.COMPUTE_FAILED,
        _R.COMPUTED,
        _R.CONTRIBUTING,
        _R.CONTRIBUTE_FAILED,
        _R.CONTRIBUTED,
        _R.CONTRIBUTE_AND_FINALIZE_ONGOING,
        _R.CONTRIBUTE_AND_FINALIZE_FAILED,
        _R.CONTRIBUTE_AND_FINALIZE_DONE,
    }
)
"""An INITIALIZED task becomes RUNNING when the last relevant status of a replicate is one of these."""

SCHEDULER_REPLICATE_STATUSES = frozenset(
    {_R.CREATED, _R.RESULT_UPLOAD_REQUESTED, _R.RECOVERING, _R.WORKER_LOST, _R.FAILED}
)
"""Set by the scheduler only."""

WORKER_REPLICATE_STATUSES = frozenset(ReplicateStatus) - SCHEDULER_REPLICATE_STATUSES
"""Reported by a worker."""
