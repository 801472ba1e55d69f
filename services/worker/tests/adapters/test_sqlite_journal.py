"""The SQLite journal beyond its contract: kill -9, group commit, damaged files, failed writes."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S
from small_volumes import MountVolume
from workerpool_kit import sqlite_file
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.app.ports import JournalSnapshot
from workerpool_worker.domain.record import ReplicateRecord
from workerpool_worker.domain.updates import Update
from workerpool_worker.errors import JournalUnusable

from services.worker.tests.harness.builders import TASK_ID
from services.worker.tests.harness.context import unexpected

WRITER = """
import asyncio, sys
from pathlib import Path
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_worker.domain.record import ReplicateRecord
from workerpool_worker.domain.updates import Update
from workerpool_worker.adapters.sqlite_journal import SqliteJournal

async def main():
    journal = SqliteJournal(Path(sys.argv[1]), on_failure=print)
    snapshot = await journal.open()
    sequence = snapshot.last_sequence
    task = "0x" + "01" * 32
    journal.save_assignment(b"wire", ReplicateRecord(task))
    while True:
        updates = []
        for _ in range(20):
            sequence += 1
            updates.append(Update(sequence, task, ReplicateStatus.STARTING))
        written = [
            journal.save(ReplicateRecord(task, last_command=update.sequence), [update]) for update in updates
        ]
        await asyncio.gather(*written)
        print(sequence, flush=True)

asyncio.run(main())
"""


async def opened(path: Path) -> tuple[SqliteJournal, JournalSnapshot]:
    journal = SqliteJournal(path, on_failure=unexpected)
    return journal, await journal.open()


def start_writer(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("confirmations", [1, 2, 5, 13, 40])
async def test_confirmed_changes_survive_kill_9(tmp_path: Path, confirmations: int) -> None:
    path = tmp_path / "journal.db"
    writer = start_writer(path)
    assert writer.stdout is not None
    confirmed = max(int(writer.stdout.readline()) for _ in range(confirmations))
    writer.kill()
    confirmed = max([confirmed, *(int(line) for line in writer.stdout.read().split())])
    writer.wait()
    writer.stdout.close()

    journal, snapshot = await opened(path)
    sequences = [update.sequence for update in snapshot.updates]
    assert sequences == list(range(sequences[0], sequences[-1] + 1))
    assert snapshot.last_sequence == sequences[-1] >= confirmed
    ((_, record),) = snapshot.replicates
    assert record.last_command == sequences[-1], "a record and its update are one change"
    await journal.close()


async def test_a_burst_of_500_changes_costs_few_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    connect = sqlite_file.connect

    def traced(path: Path, schema: str, version: int, **options: Any) -> sqlite3.Connection:
        connection = connect(path, schema, version, **options)
        connection.set_trace_callback(statements.append)
        return connection

    monkeypatch.setattr(sqlite_file, "connect", traced)
    journal, snapshot = await opened(tmp_path / "journal.db")
    journal.save_assignment(b"wire", ReplicateRecord(TASK_ID))
    changes = [
        journal.save(
            ReplicateRecord(TASK_ID), [Update(snapshot.last_sequence + i, TASK_ID, ReplicateStatus.STARTING)]
        )
        for i in range(1, 501)
    ]
    await asyncio.wait_for(asyncio.gather(*changes), PATIENCE_S)
    await journal.close()
    commits = statements.count("COMMIT")
    assert 1 <= commits <= 5
    assert sum("INSERT INTO updates" in statement for statement in statements) == 500


async def test_what_may_wait_shares_the_next_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workerpool_worker.adapters.sqlite_journal._SOON_S", PATIENCE_S)
    journal, snapshot = await opened(tmp_path / "journal.db")
    record, first = ReplicateRecord(TASK_ID), snapshot.last_sequence + 1
    waiting = [
        journal.save_assignment(b"wire", record),
        journal.save(record, [Update(first, TASK_ID, ReplicateStatus.STARTING)], at_once=False),
        journal.save_command(7, TASK_ID, record),
    ]
    done, _ = await asyncio.wait(waiting, timeout=0.1)
    assert not done
    await journal.save(record, [Update(first + 1, TASK_ID, ReplicateStatus.COMPUTED)])
    assert all(each.done() for each in waiting)
    await journal.close()
    journal, snapshot = await opened(tmp_path / "journal.db")
    assert [update.sequence for update in snapshot.updates] == [first, first + 1]
    assert snapshot.commands == {7}
    await journal.close()


async def test_what_may_wait_is_durable_soon(tmp_path: Path) -> None:
    journal, _ = await opened(tmp_path / "journal.db")
    async with asyncio.timeout(PATIENCE_S):
        await journal.save_assignment(b"wire", ReplicateRecord(TASK_ID))
        await journal.save(ReplicateRecord(TASK_ID), at_once=False)
    await journal.close()


async def test_a_new_journal_continues_the_sequences_of_a_lost_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ns = 1_700_000_000_000_000_000
    monkeypatch.setattr("workerpool_worker.adapters.sqlite_journal.time.time_ns", lambda: now_ns)
    journal, lost = await opened(tmp_path / "journal.db")
    await journal.close()
    now_ns += 1_000_000
    journal, new = await opened(tmp_path / "other.db")
    await journal.close()
    assert new.last_sequence > lost.last_sequence == 1_700_000_000_000


async def test_a_damaged_file_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"this is no database, and long enough to be read as one" * 20)
    with pytest.raises(JournalUnusable, match=r"journal\.db cannot be opened"):
        await opened(path)


async def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(JournalUnusable, match="another version of this program wrote it"):
        await opened(path)


async def test_a_value_that_sqlite_cannot_store_fails_the_write(tmp_path: Path) -> None:
    failures: list[Exception] = []
    journal = SqliteJournal(tmp_path / "journal.db", on_failure=failures.append)
    await journal.open()
    with pytest.raises(JournalUnusable):
        await asyncio.wait_for(journal.save_command(1 << 63, TASK_ID), PATIENCE_S)
    assert len(failures) == 1
    await journal.close()


async def test_a_change_behind_a_failed_write_is_not_written(tmp_path: Path) -> None:
    """A later change may depend on the lost one, as a command's record depends on the updates before it."""
    failures: list[Any] = []
    journal = SqliteJournal(tmp_path / "journal.db", on_failure=failures.append)
    await journal.open()
    failing = journal.save_command(1 << 63, TASK_ID)
    await asyncio.sleep(0)  # The write of the first change has started, so the second is in the next batch.
    behind = journal.save_command(2, TASK_ID)
    for change in (failing, behind):
        with pytest.raises(JournalUnusable):
            await asyncio.wait_for(change, PATIENCE_S)
    await journal.close()
    journal, snapshot = await opened(tmp_path / "journal.db")
    assert 2 not in snapshot.commands
    await journal.close()


async def test_writes_wait_for_space_on_a_full_volume_and_lose_nothing(small_volume: MountVolume) -> None:
    """Sibling of the case worker-log-volume-full: the volume of the journal instead of that of the logs."""
    volume = small_volume(512 << 10)
    waits: list[str | None] = []
    journal = SqliteJournal(volume.path / "journal.db", on_failure=unexpected, on_wait=waits.append)
    await journal.open()
    volume.fill()
    assignments = [f"0x{number:064x}" for number in range(20)]
    written = [journal.save_assignment(bytes(4096), ReplicateRecord(TaskId(task))) for task in assignments]
    async with asyncio.timeout(PATIENCE_S):
        while not waits:
            await asyncio.sleep(0.01)
    assert "cannot be written" in str(waits[0])
    assert not any(each.done() for each in written[-5:])
    volume.free()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*written)
    assert waits[-1] is None
    await journal.close()
    again, snapshot = await opened(volume.path / "journal.db")
    assert {record.task_id for _, record in snapshot.replicates} == set(assignments)
    await again.close()
