"""Reads of the journal by commands, beside the worker that writes it or after its end."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_worker.adapters.core.messages import authorization_message
from workerpool_worker.adapters.journal_reading import JournalView, read_journal
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.domain.record import ReplicateRecord
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import Update

from services.worker.tests.harness.builders import DEAL_ID, OTHER_TASK_ID, TASK_ID, WORKER, assignment
from services.worker.tests.harness.context import unexpected

COMPUTING = ReplicateRecord(TASK_ID, Stage.COMPUTE, ReplicateStatus.COMPUTING, since=2_000.0)
WIRE = pb.Assignment(
    authorization=authorization_message(assignment().authorization),
    task=pb.TaskDescription(
        task_id=TASK_ID,
        deal_id=DEAL_ID,
        app_uri="app:1",
        worker_stake=7,
        final_deadline=Timestamp(seconds=1_700_000_000, nanos=500_000_000),
    ),
).SerializeToString()


async def opened(path: Path) -> SqliteJournal:
    journal = SqliteJournal(path, on_failure=unexpected)
    await journal.open()
    return journal


async def written(path: Path) -> None:
    """Write a journal of one replicate and close it."""
    journal = await opened(path)
    await journal.save_assignment(WIRE, COMPUTING)
    await journal.close()


def change(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement, values)
        connection.commit()


def test_a_worker_that_never_started_has_an_empty_journal(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "none" / "journal.db") == JournalView()
    assert list(tmp_path.iterdir()) == []


async def test_an_open_journal_is_read_with_what_was_written_last(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = await opened(path)
    assert read_journal(path) == JournalView()
    await journal.save_assignment(WIRE, COMPUTING)
    earlier = ReplicateRecord(OTHER_TASK_ID, since=1_000.0)
    await journal.save_assignment(WIRE, earlier)
    await journal.save(COMPUTING, [Update(3, TASK_ID, ReplicateStatus.COMPUTING)])
    view = read_journal(path)
    assert [each.record for each in view.tasks] == [earlier, COMPUTING]
    assert view.unanswered == 1
    held = view.tasks[1]
    assert (held.deal_id, held.app, held.worker_stake) == (DEAL_ID, "app:1", 7)
    assert (held.final_deadline, held.wallet) == (1_700_000_000.5, WORKER)
    await journal.delete_updates([3])
    await journal.end(TASK_ID, [])
    assert [each.record for each in read_journal(path).tasks] == [earlier]
    assert read_journal(path).unanswered == 0
    await journal.close()


async def test_reading_after_the_end_changes_nothing_for_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await written(path)
    before = path.read_bytes()
    assert [each.record for each in read_journal(path).tasks] == [COMPUTING]
    assert path.read_bytes() == before
    journal = SqliteJournal(path, on_failure=unexpected)
    assert [record for _, record in (await journal.open()).replicates] == [COMPUTING]
    await journal.close()


@pytest.mark.parametrize("name", ["worker #1", "what?", "50%", "%41", "a b"])
async def test_the_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    path = tmp_path / name / "journal.db"
    await written(path)
    assert [each.record for each in read_journal(path).tasks] == [COMPUTING]


async def test_the_path_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await written(tmp_path / "journal.db")
    monkeypatch.chdir(tmp_path)
    assert len(read_journal(Path("journal.db")).tasks) == 1


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("no JSON", id="no JSON"),
        pytest.param("{}", id="no field"),
        pytest.param("[]", id="a list"),
        pytest.param(COMPUTING.to_json().replace("COMPUTING", "DANCING"), id="an unknown status"),
        pytest.param(COMPUTING.to_json()[:-1] + ', "later": 1}', id="a field of a later version"),
        pytest.param(COMPUTING.to_json().replace("2000.0", "null"), id="no time"),
    ],
)
async def test_a_damaged_record_is_reported_with_its_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "journal.db"
    await written(path)
    change(path, "INSERT INTO replicates VALUES (?, ?, ?)", OTHER_TASK_ID, WIRE, COMPUTING.to_json())
    change(path, "UPDATE replicates SET record = ? WHERE task_id = ?", content, TASK_ID)
    with pytest.raises(ValueError, match=f"the journal {path} cannot be read"):
        read_journal(path)


@pytest.mark.parametrize("wire", [b"\xff\xff", "text"], ids=["no message", "text"])
async def test_a_damaged_assignment_is_reported(tmp_path: Path, wire: object) -> None:
    path = tmp_path / "journal.db"
    await written(path)
    change(path, "UPDATE replicates SET assignment = ?", wire)
    with pytest.raises(ValueError, match="cannot be read"):
        read_journal(path)


@pytest.mark.parametrize("content", [b"", b"no database" * 100], ids=["empty", "other content"])
def test_a_file_that_is_no_journal_is_reported(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read"):
        read_journal(path)
    assert path.read_bytes() == content


def test_a_path_that_the_system_refuses_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        read_journal(tmp_path / ("n" * 300) / "journal.db")
