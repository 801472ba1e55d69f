"""Workers that keep failing get a rest, longer each time; failures of the requester's own files do not count."""

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import ReplicateStatus

from workerpool_core.domain.event_context import Turn
from workerpool_core.domain.model import Replicate, Task
from workerpool_core.domain.workers import quarantine

_C = ReplicateStatusCause
_FAILURES = frozenset(
    {
        ReplicateStatus.START_FAILED,
        ReplicateStatus.APP_DOWNLOAD_FAILED,
        ReplicateStatus.DATA_DOWNLOAD_FAILED,
        ReplicateStatus.COMPUTE_FAILED,
        ReplicateStatus.CONTRIBUTE_FAILED,
        ReplicateStatus.REVEAL_FAILED,
        ReplicateStatus.RESULT_UPLOAD_FAILED,
        ReplicateStatus.CONTRIBUTE_AND_FINALIZE_FAILED,
    }
)
_NOT_THE_WORKERS_FAULT = frozenset(
    {
        _C.APP_IMAGE_DOWNLOAD_FAILED,
        _C.INPUT_FILES_DOWNLOAD_FAILED,
        _C.DATASET_FILE_DOWNLOAD_FAILED,
        _C.DATASET_FILE_BAD_CHECKSUM,
        _C.APP_COMPUTE_FAILED,
        _C.APP_COMPUTE_TIMEOUT,
        _C.TASK_NOT_ACTIVE,
        _C.TASK_ALREADY_CONTRIBUTED,
        _C.TASK_DESCRIPTION_INVALID,
        _C.CONTRIBUTION_ALREADY_SET,
        _C.CONTRIBUTION_TIMEOUT,
        _C.CONSENSUS_REACHED,
        _C.TRUST_NOT_1,
    }
)
_CHAIN_KNOWS_MORE = frozenset(
    {_C.TASK_NOT_ACTIVE, _C.CONTRIBUTION_ALREADY_SET, _C.TASK_ALREADY_CONTRIBUTED, _C.CONSENSUS_REACHED}
)


def consider(
    turn: Turn,
    task: Task,
    replicate: Replicate,
    status: ReplicateStatus,
    cause: ReplicateStatusCause | None,
) -> None:
    """Draw the consequences of a failure for its worker; ask the chain when the cause points there."""
    if status not in _FAILURES:
        return
    if cause in _CHAIN_KNOWS_MORE or status in (
        ReplicateStatus.CONTRIBUTE_FAILED,
        ReplicateStatus.REVEAL_FAILED,
        ReplicateStatus.CONTRIBUTE_AND_FINALIZE_FAILED,
    ):
        turn.read(task)
    if cause in _NOT_THE_WORKERS_FAULT:
        return
    policy = turn.state.policy
    worker = turn.state.workers[replicate.wallet]
    worker.consecutive_failures += 1
    rounds = worker.consecutive_failures - policy.quarantine_after
    if rounds >= 0:
        rest = min(policy.quarantine_s * 2 ** min(rounds, 32), policy.quarantine_max_s)
        worker.quarantined_until = turn.now + rest
        quarantine.arm(turn, worker)
    turn.save_worker(worker)
