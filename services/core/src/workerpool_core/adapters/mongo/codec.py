"""Between the scheduler's values and documents. Pure; enums are stored by name, dates as Unix seconds."""

from collections.abc import Sequence
from dataclasses import fields
from enum import Enum
from typing import Any

from workerpool_poco.protocol.statuses import (
    FINAL_TASK_STATUSES,
    ReplicateStatus,
    ReplicateStatusCause,
    TaskStatus,
)

from workerpool_core.adapters.mongo.changes import Bson, Change, Kind
from workerpool_core.domain import decisions as d
from workerpool_core.domain.model import (
    Action,
    Command,
    DealTerms,
    Modifier,
    Receipt,
    Replicate,
    ReplicateChange,
    Task,
    TaskChange,
    Worker,
    WorkerModel,
)

TASK, REPLICATE, WORKER = "task", "replicate", "worker"
COMMAND, LOGS, CURSOR = "command", "taskLogs", "cursor"
CURSOR_ID = "chain"

_TERM_NAMES = tuple(item.name for item in fields(DealTerms))
_TASK_FIELDS = tuple(
    item.name
    for item in fields(Task)
    if item.name not in ("task_id", "index", "terms", "history", "replicates")
)
_REPLICATE_FIELDS = ("contribution_hash", "result_link", "callback_data", "exit_code", "logs_present")
_WORKER_FIELDS = (
    "registered_at",
    "last_seen",
    "lost",
    "drained_until",
    "quarantined_until",
    "consecutive_failures",
)
_MODEL_NAMES = tuple(item.name for item in fields(WorkerModel))


def encode(write: d.Write) -> Change:
    """Return the change of a document that a write of the scheduler asks for."""
    match write:
        case d.TaskCreated(task):
            return Change(TASK, task.task_id, Kind.CREATE, task_document(task))
        case d.TaskChanged(task_id, expected, changes, changed):
            history = [task_change(change) for change in changes]
            return _altered(TASK, task_id, expected, history, {**changed, **_end(changes)})
        case d.ReplicateCreated(replicate):
            key = pair_id(replicate.task_id, replicate.wallet)
            return Change(REPLICATE, key, Kind.CREATE, replicate_document(replicate), exclusive=True)
        case d.ReplicateChanged(task_id, wallet, expected, changes, changed):
            history = [replicate_change(change) for change in changes]
            return _altered(REPLICATE, pair_id(task_id, wallet), expected, history, changed)
        case d.LogsStored(task_id, wallet, stdout, stderr):
            document = {"task_id": task_id, "wallet": wallet, "stdout": stdout, "stderr": stderr}
            return Change(LOGS, pair_id(task_id, wallet), Kind.CREATE, document)
        case d.WorkerSaved(worker):
            return Change(WORKER, worker.wallet, Kind.PUT, worker_document(worker))
        case d.CommandQueued(command):
            key = command_id(command.wallet, command.sequence)
            return Change(COMMAND, key, Kind.CREATE, command_document(command), exclusive=True)
        case d.CommandRemoved(wallet, sequence):
            return Change(COMMAND, command_id(wallet, sequence), Kind.REMOVE)
        case d.CursorMoved(number, block_hash):
            return Change(CURSOR, CURSOR_ID, Kind.PUT, {"number": number, "hash": block_hash})


def _altered(
    collection: str, key: str, expected: Enum, history: list[Bson], changed: dict[str, object]
) -> Change:
    values = {name: _plain(value) for name, value in changed.items()}
    if history:
        values["status"] = history[-1]["status"]
    return Change(collection, key, Kind.ALTER, expected=expected.value, history=history, fields=values)


def _plain(value: object) -> object:
    if isinstance(value, DealTerms):
        return terms_document(value)
    return value.value if isinstance(value, Enum) else value


def pair_id(task_id: str, wallet: str) -> str:
    """Return the key of a replicate and of its logs."""
    return f"{task_id}:{wallet}"


def command_id(wallet: str, sequence: int) -> str:
    """Return the key of a command."""
    return f"{wallet}:{sequence}"


# --- tasks --------------------------------------------------------------------------------------


def task_document(task: Task) -> Bson:
    """Return a task as a document, without its key."""
    document: Bson = {
        "deal_id": task.terms.deal_id,
        "index": task.index,
        "status": task.status.value,
        "history": [task_change(change) for change in task.history],
        "terms": terms_document(task.terms),
    }
    for name in _TASK_FIELDS:
        document[name] = getattr(task, name)
    return document | _end(task.history)


def _end(changes: Sequence[TaskChange]) -> Bson:
    """Return what marks a task as ended, for the index that finds those that ended lately."""
    if changes and changes[-1].status in FINAL_TASK_STATUSES:
        return {"ended_at": changes[-1].date}
    return {}


def task_of(document: Bson, terms: DealTerms | None = None) -> Task:
    """Read a task, without its replicates. `terms` saves reading the deal's again."""
    return Task(
        task_id=document["_id"],
        index=document["index"],
        terms=terms or terms_of(document["terms"]),
        history=[
            TaskChange(TaskStatus(entry["status"]), entry["date"], _receipt(entry))
            for entry in document["history"]
        ],
        # Those of a document that an older core wrote may be fewer.
        **{name: document[name] for name in _TASK_FIELDS if name in document},
    )


def terms_document(terms: DealTerms) -> Bson:
    """Return a deal's terms as an embedded document."""
    document = {name: getattr(terms, name) for name in _TERM_NAMES}
    document["input_files"] = list(terms.input_files)
    document["secrets"] = [list(pair) for pair in terms.secrets]
    return document


def terms_of(document: Bson) -> DealTerms:
    """Read a deal's terms."""
    values: dict[str, Any] = {name: document[name] for name in _TERM_NAMES if name in document}
    values["input_files"] = tuple(document["input_files"])
    values["secrets"] = tuple((key, value) for key, value in document["secrets"])
    return DealTerms(**values)


def task_change(change: TaskChange) -> Bson:
    """Return a history entry of a task."""
    return _with_receipt({"status": change.status.value, "date": change.date}, change.receipt)


# --- replicates ---------------------------------------------------------------------------------


def replicate_document(replicate: Replicate) -> Bson:
    """Return a replicate as a document, without its key."""
    document: Bson = {
        "task_id": replicate.task_id,
        "wallet": replicate.wallet,
        "weight": replicate.weight,
        "status": replicate.status.value,
        "history": [replicate_change(change) for change in replicate.history],
    }
    for name in _REPLICATE_FIELDS:
        document[name] = getattr(replicate, name)
    return document


def replicate_of(document: Bson) -> Replicate:
    """Read a replicate."""
    return Replicate(
        task_id=document["task_id"],
        wallet=document["wallet"],
        weight=document["weight"],
        history=[
            ReplicateChange(
                ReplicateStatus(entry["status"]),
                entry["date"],
                Modifier(entry["modifier"]),
                ReplicateStatusCause(entry["cause"]) if "cause" in entry else None,
                _receipt(entry),
            )
            for entry in document["history"]
        ],
        **{name: document[name] for name in _REPLICATE_FIELDS},
    )


def replicate_change(change: ReplicateChange) -> Bson:
    """Return a history entry of a replicate."""
    entry: Bson = {
        "status": change.status.value,
        "date": change.date,
        "modifier": change.modifier.value,
    }
    if change.cause is not None:
        entry["cause"] = change.cause.value
    return _with_receipt(entry, change.receipt)


def _with_receipt(entry: Bson, receipt: Receipt | None) -> Bson:
    if receipt is not None:
        entry["receipt"] = {"block": receipt.block, "transaction": receipt.transaction}
    return entry


def _receipt(entry: Bson) -> Receipt | None:
    found = entry.get("receipt")
    return Receipt(found["block"], found["transaction"]) if found else None


# --- workers and commands -----------------------------------------------------------------------


def worker_document(worker: Worker) -> Bson:
    """Return a worker as a document, without its key, its session and its pending commands."""
    document: Bson = {name: getattr(worker, name) for name in _WORKER_FIELDS}
    document["model"] = {name: getattr(worker.model, name) for name in _MODEL_NAMES}
    return document


def worker_of(document: Bson) -> Worker:
    """Read a worker; its stream is closed until it says Hello again."""
    return Worker(
        wallet=document["_id"],
        model=WorkerModel(**document["model"]),
        **{name: document[name] for name in _WORKER_FIELDS},
    )


def command_document(command: Command) -> Bson:
    """Return a command as a document, without its key."""
    document: Bson = {
        "wallet": command.wallet,
        "sequence": command.sequence,
        "task_id": command.task_id,
        "action": command.action.value,
        "block": command.block,
    }
    if command.cause is not None:
        document["cause"] = command.cause.value
    return document


def command_of(document: Bson) -> Command:
    """Read a command."""
    return Command(
        wallet=document["wallet"],
        sequence=document["sequence"],
        task_id=document["task_id"],
        action=Action(document["action"]),
        block=document["block"],
        cause=ReplicateStatusCause(document["cause"]) if "cause" in document else None,
    )
