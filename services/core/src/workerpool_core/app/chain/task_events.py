"""Translation of the hub's task events into the scheduler's."""

from workerpool_poco.protocol.contracts import events as e
from workerpool_poco.protocol.ids import to_hex

from workerpool_core.domain.events import TaskLog, TaskLogKind
from workerpool_core.domain.model import Receipt

FOLLOWED: tuple[type[e.HubEvent], ...] = (
    e.SchedulerNotice,
    e.TaskInitialize,
    e.TaskContribute,
    e.TaskConsensus,
    e.TaskReveal,
    e.TaskReopen,
    e.TaskFinalize,
    e.TaskClaimed,
)
"""The kinds of hub events that the follower reads."""


def task_log(event: e.HubEvent) -> TaskLog | None:
    """Return the scheduler's form of a hub event; None unless it concerns a task."""
    worker = value = ""
    match event:
        case e.TaskInitialize():
            kind = TaskLogKind.INITIALIZE
        case e.TaskContribute():
            kind, worker, value = TaskLogKind.CONTRIBUTE, event.worker, to_hex(event.result_hash)
        case e.TaskConsensus():
            kind, value = TaskLogKind.CONSENSUS, to_hex(event.consensus)
        case e.TaskReveal():
            kind, worker, value = TaskLogKind.REVEAL, event.worker, to_hex(event.digest)
        case e.TaskReopen():
            kind = TaskLogKind.REOPEN
        case e.TaskFinalize():
            kind, value = TaskLogKind.FINALIZE, to_hex(event.results)
        case e.TaskClaimed():
            kind = TaskLogKind.CLAIMED
        case _:
            return None
    receipt = Receipt(event.position.block_number, to_hex(event.position.transaction_hash))
    return TaskLog(kind, event.task_id, receipt, worker, value)
