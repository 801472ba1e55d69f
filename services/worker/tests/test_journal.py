"""The journal: what was promised is there after kill -9, at whatever moment it came."""

import asyncio
import sqlite3
import subprocess
import sys

import pytest
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.domain.record import Command, ReplicateRecord
from workerpool_worker.domain.stages import Action, Stage
from workerpool_worker.domain.updates import Update
from workerpool_worker.errors import JournalUnusable

TASK_ID = TaskId("0x" + "01" * 32)


def unexpected(problem):
    raise AssertionError(problem)


async def opened(path):
    journal = SqliteJournal(path, on_failure=unexpected)
    return journal, await journal.open()


async def test_everything_comes_back(tmp_path):
    journal, kept = await opened(tmp_path / "journal.db")
    assert (kept.replicates, kept.updates, kept.commands, kept.ended) == ((), (), frozenset(), ())
    first = kept.last_sequence + 1
    record = ReplicateRecord(TASK_ID)
    journal.save_assignment(b"wire", record)
    record = record.evolve(stage=Stage.COMPUTE, status=ReplicateStatus.COMPUTING)
    updates = [Update(first + i, TASK_ID, ReplicateStatus.STARTING) for i in range(3)]
    journal.save(record, updates)
    record = record.evolve(pending=(Command(5, TASK_ID, Action.ABORT),))
    journal.save_command(5, TASK_ID, record)
    await journal.delete_updates([first])
    await journal.close()

    journal, kept = await opened(tmp_path / "journal.db")
    assert kept.replicates == ((b"wire", record),)
    assert [update.sequence for update in kept.updates] == [first + 1, first + 2]
    assert kept.commands == {5}
    assert kept.last_sequence == first + 2
    await journal.end(TASK_ID, [Update(first + 3, TASK_ID, ReplicateStatus.ABORTED)])
    await journal.close()

    journal, kept = await opened(tmp_path / "journal.db")
    assert (kept.replicates, kept.ended) == ((), (TASK_ID,))
    assert kept.last_sequence == first + 3
    await journal.close()


async def test_a_forgotten_task_leaves_nothing(tmp_path):
    other = "0x" + "02" * 32
    journal, kept = await opened(tmp_path / "journal.db")
    sequences = range(kept.last_sequence + 1, kept.last_sequence + 5)
    for task_id, first in ((TASK_ID, sequences[0]), (other, sequences[2])):
        journal.save_assignment(b"wire", ReplicateRecord(task_id))
        journal.save(ReplicateRecord(task_id), [Update(first, task_id, ReplicateStatus.STARTING)])
        await journal.end(task_id, [Update(first + 1, task_id, ReplicateStatus.ABORTED)])
    journal.save_assignment(b"wire", ReplicateRecord(TASK_ID))
    await journal.delete_updates([sequences[3]], [TASK_ID])
    await journal.close()

    journal, kept = await opened(tmp_path / "journal.db")
    assert (kept.replicates, kept.ended) == ((), (other,))
    assert [update.sequence for update in kept.updates] == [sequences[2]]
    assert kept.last_sequence == sequences[-1]
    await journal.close()


async def test_sequences_never_come_again_even_when_the_journal_is_lost(tmp_path):
    journal, kept = await opened(tmp_path / "journal.db")
    await journal.save_command(
        1, TASK_ID, None, [Update(kept.last_sequence + 1, TASK_ID, ReplicateStatus.ABORTED)]
    )
    await journal.delete_updates([kept.last_sequence + 1])
    await journal.close()
    journal, again = await opened(tmp_path / "journal.db")
    assert again.last_sequence == kept.last_sequence + 1
    await journal.close()
    await asyncio.sleep(0.005)  # the clock the next journal counts from has to move on
    journal, other = await opened(tmp_path / "other.db")
    assert other.last_sequence > again.last_sequence
    await journal.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_worker.domain.record import ReplicateRecord
from workerpool_worker.domain.updates import Update
from workerpool_worker.adapters.sqlite_journal import SqliteJournal

async def main():
    journal = SqliteJournal(Path(sys.argv[1]), on_failure=print)
    kept = await journal.open()
    sequence = kept.last_sequence
    task = "0x" + "01" * 32
    journal.save_assignment(b"wire", ReplicateRecord(task))
    while True:
        updates = []
        for _ in range(20):
            sequence += 1
            updates.append(Update(sequence, task, ReplicateStatus.STARTING))
        written = [journal.save(ReplicateRecord(task, last_command=update.sequence), [update]) for update in updates]
        await asyncio.gather(*written)
        print(sequence, flush=True)

asyncio.run(main())
"""


def start_writer(path):
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("promises", [1, 2, 5, 13, 40])
async def test_what_was_promised_survives_kill_9(tmp_path, promises):
    path = tmp_path / "journal.db"
    writer = start_writer(path)
    for _ in range(promises):
        promised = int(writer.stdout.readline())
    writer.kill()
    promised = max([promised, *(int(line) for line in writer.stdout.read().split())])
    writer.wait()
    writer.stdout.close()

    journal, kept = await opened(path)
    sequences = [update.sequence for update in kept.updates]
    assert sequences == list(range(sequences[0], sequences[-1] + 1))
    assert kept.last_sequence == sequences[-1] >= promised
    ((_, record),) = kept.replicates
    assert record.last_command == sequences[-1], "a record and its update are one change"
    await journal.close()


async def test_a_burst_costs_few_commits(tmp_path):
    journal, kept = await opened(tmp_path / "journal.db")
    journal.save_assignment(b"wire", ReplicateRecord(TASK_ID))
    futures = [
        journal.save(
            ReplicateRecord(TASK_ID), [Update(kept.last_sequence + i, TASK_ID, ReplicateStatus.STARTING)]
        )
        for i in range(1, 501)
    ]
    await asyncio.wait_for(asyncio.gather(*futures), 5)
    await journal.close()


async def test_a_foreign_or_damaged_file_is_refused_with_its_name(tmp_path):
    path = tmp_path / "journal.db"
    path.write_bytes(b"this is no database, and long enough to be looked at as one" * 20)
    with pytest.raises(JournalUnusable, match=r"journal\.db cannot be opened"):
        await SqliteJournal(path, on_failure=unexpected).open()
    other = tmp_path / "newer.db"
    with sqlite3.connect(other) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(JournalUnusable, match="another version"):
        await SqliteJournal(other, on_failure=unexpected).open()


async def test_a_write_that_fails_fails_everything_after_it(tmp_path):
    problems = []
    journal = SqliteJournal(tmp_path / "journal.db", on_failure=problems.append)
    kept = await journal.open()
    twice = Update(kept.last_sequence + 1, TASK_ID, ReplicateStatus.STARTING)
    await journal.save_command(1, TASK_ID, None, [twice])
    with pytest.raises(JournalUnusable):
        await journal.save_command(2, TASK_ID, None, [twice])
    with pytest.raises(JournalUnusable):
        await journal.delete_updates([1])
    assert len(problems) == 1
    await journal.close()


async def test_what_the_file_cannot_hold_is_a_failure_and_no_silence(tmp_path):
    problems = []
    journal = SqliteJournal(tmp_path / "journal.db", on_failure=problems.append)
    await journal.open()
    with pytest.raises(JournalUnusable):
        await asyncio.wait_for(journal.save_command(1 << 63, TASK_ID), 5)
    assert len(problems) == 1
    await journal.close()


async def test_what_waits_behind_a_failed_write_is_not_promised_either(tmp_path):
    """A later change may rest on the lost one, as a command's record rests on the updates before it."""
    problems = []
    journal = SqliteJournal(tmp_path / "journal.db", on_failure=problems.append)
    await journal.open()
    failing = journal.save_command(1 << 63, TASK_ID)
    await asyncio.sleep(0)  # the write has started
    behind = journal.save_command(2, TASK_ID)
    for promise in (failing, behind):
        with pytest.raises(JournalUnusable):
            await asyncio.wait_for(promise, 5)
    await journal.close()
    journal, kept = await opened(tmp_path / "journal.db")
    assert 2 not in kept.commands
    await journal.close()
