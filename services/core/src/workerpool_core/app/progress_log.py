"""One line for each step of a task, and for each beginning and each mishap of a replicate, for operators.

The other statuses of replicates are in the database and in the figures; a line for each would be most of the log.
"""

from workerpool_kit.logs import get_logger
from workerpool_poco.statuses import DEAD_END_REPLICATE_STATUSES, ReplicateStatus

from workerpool_core.domain.decisions import Outcome, ReplicateChanged, ReplicateCreated, TaskChanged
from workerpool_core.domain.events import Event

log = get_logger()

_NOTEWORTHY = (DEAD_END_REPLICATE_STATUSES - {ReplicateStatus.COMPLETED}) | {
    ReplicateStatus.APP_DOWNLOAD_FAILED,
    ReplicateStatus.DATA_DOWNLOAD_FAILED,
    ReplicateStatus.RESULT_UPLOAD_FAILED,
    ReplicateStatus.WORKER_LOST,
    ReplicateStatus.RECOVERING,
}


def log_progress(_event: Event, outcome: Outcome, _now: float) -> None:
    """Write the lines of one outcome."""
    for write in outcome.writes:
        match write:
            case TaskChanged(task_id, _, changes, _) if changes:
                steps = [change.status.value for change in changes]
                log.info("task.moved", task=task_id, status=steps[-1], steps=steps)
            case ReplicateCreated(replicate):
                log.info("replicate.created", task=replicate.task_id, wallet=replicate.wallet)
            case ReplicateChanged(task_id, wallet, _, changes, _):
                for change in changes:
                    if change.status in _NOTEWORTHY:
                        cause = change.cause.value if change.cause is not None else None
                        log.info(
                            "replicate.noted",
                            task=task_id,
                            wallet=wallet,
                            status=change.status.value,
                            cause=cause,
                            by=change.modifier.value,
                        )
            case _:
                pass
