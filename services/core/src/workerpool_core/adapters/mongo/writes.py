"""The scheduler's writes as changes of documents."""

from collections.abc import Sequence
from enum import Enum

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import FINAL_TASK_STATUSES

from workerpool_core.adapters.mongo.changes import Bson, Change, Kind
from workerpool_core.adapters.mongo.documents import CursorDocument
from workerpool_core.adapters.mongo.records import (
    COMMANDS,
    DEALS,
    REPLICATE_CHANGES,
    REPLICATES,
    TASK_CHANGES,
    TASKS,
    WORKERS,
)
from workerpool_core.domain import decisions as d
from workerpool_core.domain.model import TaskChange

DEAL, TASK, REPLICATE, WORKER = "deal", "task", "replicate", "worker"
COMMAND, LOGS, CURSOR = "command", "taskLogs", "cursor"


def encode(write: d.Write) -> Change:
    """Return the change of one document for a write."""
    match write:
        # The most frequent writes come first.
        case d.ReplicateChanged(task_id, wallet, expected, changes, changed):
            history = list(map(REPLICATE_CHANGES.encode, changes))
            fields = REPLICATES.encode_fields(changed)
            return _altered(REPLICATE, pair_id(task_id, wallet), expected, history, fields)
        case d.ReplicateCreated(replicate):
            key = pair_id(replicate.task_id, replicate.wallet)
            return Change(REPLICATE, key, Kind.CREATE, REPLICATES.encode(replicate), exclusive=True)
        case d.TaskChanged(task_id, expected, changes, changed):
            history = list(map(TASK_CHANGES.encode, changes))
            return _altered(TASK, task_id, expected, history, TASKS.encode_fields(changed) | _ended(changes))
        case d.TaskCreated(task):
            return Change(TASK, task.task_id, Kind.CREATE, TASKS.encode(task) | _ended(task.history))
        case d.DealSaved(deal):
            return Change(DEAL, deal.terms.deal_id, Kind.PUT, DEALS.encode(deal))
        case d.DealRemoved(deal_id, _):
            return Change(DEAL, deal_id, Kind.REMOVE)
        case d.LogsStored(task_id, wallet, stdout, stderr):
            record = {"task_id": task_id, "wallet": wallet, "stdout": stdout, "stderr": stderr}
            return Change(LOGS, pair_id(task_id, wallet), Kind.CREATE, record)
        case d.WorkerSaved(worker):
            return Change(WORKER, worker.wallet, Kind.PUT, WORKERS.encode(worker))
        case d.CommandQueued(command):
            key = command_id(command.wallet, command.sequence)
            return Change(COMMAND, key, Kind.CREATE, COMMANDS.encode(command), exclusive=True)
        case d.CommandRemoved(wallet, sequence):
            return Change(COMMAND, command_id(wallet, sequence), Kind.REMOVE)
        case d.CursorMoved(number, block_hash):
            return Change(CURSOR, CursorDocument.ID, Kind.PUT, {"number": number, "hash": block_hash})


def pair_id(task_id: TaskId, wallet: str) -> str:
    """Return the key of a replicate and of its logs."""
    return f"{task_id}:{wallet}"


def command_id(wallet: str, sequence: int) -> str:
    """Return the key of a command."""
    return f"{wallet}:{sequence}"


def _altered(collection: str, key: str, expected: Enum, history: list[Bson], fields: Bson) -> Change:
    if history:
        fields["status"] = history[-1]["status"]
    return Change(collection, key, Kind.ALTER, expected=expected.value, history=history, fields=fields)


def _ended(changes: Sequence[TaskChange]) -> Bson:
    """Return the field that marks a task as ended and that an index selects by date."""
    if changes and changes[-1].status in FINAL_TASK_STATUSES:
        return {"ended_at": changes[-1].date}
    return {}
