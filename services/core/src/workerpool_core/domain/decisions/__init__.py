"""Decisions of the scheduler: an `Outcome` has writes, which must be durable first, and effects, which follow.

The app layer makes all `writes` of an outcome durable (majority and journal, in order, grouped with those of other
outcomes) and then executes its `effects` in order. An effect that a crash loses is decided again after the restart,
from the store, the chain and the Hello of each worker.
"""

from dataclasses import dataclass, field

from workerpool_core.domain.decisions.effects import (
    AnswerUpdate,
    Assign,
    CheckResult,
    CloseSession,
    Effect,
    FindSms,
    NotifyWatchers,
    ReadTask,
    ReadWeight,
    RequestEnclaveChallenge,
    RequestTransaction,
    SendCommand,
    SendDrain,
    TaskUnsatisfiable,
    UpdateOutcome,
    Welcome,
)
from workerpool_core.domain.decisions.writes import (
    CommandQueued,
    CommandRemoved,
    CursorMoved,
    DealRemoved,
    DealSaved,
    LogsStored,
    ReplicateChanged,
    ReplicateCreated,
    TaskChanged,
    TaskCreated,
    WorkerSaved,
    Write,
)

__all__ = [
    "AnswerUpdate",
    "Assign",
    "CheckResult",
    "CloseSession",
    "CommandQueued",
    "CommandRemoved",
    "CursorMoved",
    "DealRemoved",
    "DealSaved",
    "Effect",
    "FindSms",
    "LogsStored",
    "NotifyWatchers",
    "Outcome",
    "ReadTask",
    "ReadWeight",
    "ReplicateChanged",
    "ReplicateCreated",
    "RequestEnclaveChallenge",
    "RequestTransaction",
    "SendCommand",
    "SendDrain",
    "TaskChanged",
    "TaskCreated",
    "TaskUnsatisfiable",
    "UpdateOutcome",
    "Welcome",
    "WorkerSaved",
    "Write",
]


@dataclass(slots=True)
class Outcome:
    """Writes to make durable, then effects to execute, both in order."""

    writes: list[Write] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
