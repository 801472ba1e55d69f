"""Reads of a worker's journal while the worker runs, or after its end. Nothing is written."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError
from workerpool_kit.grpc.times import unix_time_of
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from workerpool_worker.domain.record import ReplicateRecord

_WAIT_S = 2.0


@dataclass(frozen=True, slots=True)
class HeldTask:
    """A replicate in the journal, with the task's fields from its assignment."""

    record: ReplicateRecord
    deal_id: str
    app: str
    worker_stake: int
    final_deadline: float
    wallet: str


@dataclass(frozen=True, slots=True)
class JournalView:
    """The content of a journal: replicates, and the number of status updates without an answer."""

    tasks: tuple[HeldTask, ...] = ()
    unanswered: int = 0


def read_journal(path: Path) -> JournalView:
    """Return what a journal holds; empty for a file that does not exist. Blocks. Raises ValueError with the reason."""
    try:
        if not path.exists():
            return JournalView()
        # As a URI a path is quoted: a folder may be named `worker #1` or `50%`.
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=_WAIT_S)) as connection:
            rows = connection.execute("SELECT assignment, record FROM replicates").fetchall()
            (unanswered,) = connection.execute("SELECT count(*) FROM updates").fetchone()
        tasks = [_held(bytes(assignment), record) for assignment, record in rows]
        tasks.sort(key=lambda each: each.record.since)
    except (OSError, sqlite3.Error, ValueError, KeyError, TypeError, DecodeError) as problem:
        raise ValueError(f"the journal {path} cannot be read: {problem}") from problem
    return JournalView(tuple(tasks), int(unanswered))


def _held(assignment: bytes, record: str) -> HeldTask:
    message = pb.Assignment.FromString(assignment)
    return HeldTask(
        record=ReplicateRecord.from_json(record),
        deal_id=message.task.deal_id,
        app=message.task.app_uri,
        worker_stake=message.task.worker_stake,
        final_deadline=unix_time_of("final_deadline", message.task.final_deadline),
        wallet=message.authorization.worker_wallet,
    )
