"""Log events of the steps of tasks, and of created and failed replicates.

An event that changes several tasks alike is one line with all their ids. Other statuses of replicates are only in the
database and the metrics, because a line for each would dominate the log.
"""

from collections import defaultdict

from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.statuses import DEAD_END_REPLICATE_STATUSES, ReplicateStatus, TaskStatus

from workerpool_core.domain.decisions import (
    DealRemoved,
    Outcome,
    ReplicateChanged,
    ReplicateCreated,
    TaskChanged,
)
from workerpool_core.domain.events import Event, StatusReported

log = get_logger()

_LOGGED = (DEAD_END_REPLICATE_STATUSES - {ReplicateStatus.COMPLETED}) | {
    ReplicateStatus.APP_DOWNLOAD_FAILED,
    ReplicateStatus.DATA_DOWNLOAD_FAILED,
    ReplicateStatus.RESULT_UPLOAD_FAILED,
    ReplicateStatus.WORKER_LOST,
    ReplicateStatus.RECOVERING,
}


def log_progress(event: Event, outcome: Outcome, _now: float) -> None:
    """Log one outcome; a failure has the error message of its worker."""
    reported = event.updates if isinstance(event, StatusReported) else ()
    reporter = event.wallet if isinstance(event, StatusReported) else ""
    messages = {
        (update.task_id, reporter, update.status): update.details.error_message for update in reported
    }
    moved: dict[tuple[TaskStatus, ...], list[str]] = defaultdict(list)
    created: dict[str, list[str]] = defaultdict(list)
    for write in outcome.writes:
        match write:
            case TaskChanged(task_id, _, changes, _) if changes:
                moved[tuple(change.status for change in changes)].append(task_id)
            case DealRemoved(deal_id, unreached) if unreached:
                log.warning(
                    "deal.tasks_dropped",
                    deal=deal_id,
                    tasks=unreached,
                    reason="no worker could serve them before the contribution deadline; they were never "
                    "initialized, and the requester can claim them after the final deadline",
                )
            case ReplicateCreated(replicate):
                created[replicate.wallet].append(replicate.task_id)
            case ReplicateChanged(task_id, wallet, _, changes, _):
                for change in changes:
                    if change.status in _LOGGED:
                        cause = change.cause.value if change.cause is not None else None
                        log.info(
                            "replicate.changed",
                            task=task_id,
                            wallet=wallet,
                            status=change.status.value,
                            cause=cause,
                            by=change.modifier.value,
                            error=messages.get((task_id, wallet, change.status)) or None,
                        )
            case _:
                pass
    for statuses, tasks in moved.items():
        steps = [status.value for status in statuses]
        log.info("tasks.moved", status=steps[-1], steps=steps, tasks=tasks)
    for wallet, tasks in created.items():
        log.info("replicates.created", wallet=wallet, tasks=tasks)
