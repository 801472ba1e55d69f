"""What happens to a worker's replicates when its process ends.

Three ways to end differ in one number, the time within which the worker is back. Zero is to leave for good: steps
under way that are short may finish, and what has no contribution on chain goes to other workers at once. A minute is a
restart, and more is an upgrade: apps keep running, and the scheduler keeps the replicates until then.
"""

from workerpool_poco.protocol.statuses import ReplicateStatus

from workerpool_worker.domain.record import ReplicateRecord
from workerpool_worker.domain.stages import USES_SLOT, Stage

DRAINS = "it drains: it finishes what it holds, then stops"
STOPS = "it is stopping"
_SHORT = frozenset({Stage.CONTRIBUTE, Stage.REVEAL, Stage.UPLOAD, Stage.COMPLETE})
_FAILED_EARLY = frozenset(
    {
        ReplicateStatus.START_FAILED,
        ReplicateStatus.APP_DOWNLOAD_FAILED,
        ReplicateStatus.DATA_DOWNLOAD_FAILED,
        ReplicateStatus.COMPUTE_FAILED,
    }
)


def may_finish(record: ReplicateRecord) -> bool:
    """Return whether a step runs that is worth waiting for: a transaction or an upload, which takes seconds."""
    return record.stage in _SHORT


def may_be_handed_over(record: ReplicateRecord) -> bool:
    """Return whether another worker can compute the task instead: no contribution of this one locks a stake for it."""
    if record.stage is Stage.FAILED:
        return record.status in _FAILED_EARLY
    return record.stage in USES_SLOT or record.stage is Stage.AWAIT_DECISION
