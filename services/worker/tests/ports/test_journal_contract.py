"""The contract of the `Journal` port, over every implementation."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest
from patience import PATIENCE_S
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.app.ports import REMEMBERED_COMMANDS, Journal, JournalSnapshot
from workerpool_worker.domain.record import Command, ReplicateRecord
from workerpool_worker.domain.stages import Action, Stage
from workerpool_worker.domain.updates import Update
from workerpool_worker.errors import JournalUnusable

from services.worker.tests.doubles.journal import InMemoryJournal
from services.worker.tests.harness.builders import OTHER_TASK_ID, TASK_ID


class OpenJournal(Journal, Protocol):
    async def open(self) -> JournalSnapshot: ...
    async def close(self) -> None: ...


class Worker:
    """A worker process that restarts with the same journal."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.failures: list[Exception] = []
        self._kind, self._folder = kind, folder
        self._memory = InMemoryJournal(self.failures.append)

    async def start(self) -> tuple[OpenJournal, JournalSnapshot]:
        self.journal: OpenJournal = self._memory
        if self._kind == "sqlite":
            self.journal = SqliteJournal(self._folder / "journal.db", on_failure=self.failures.append)
        return self.journal, await self.journal.open()

    async def restart(self) -> tuple[OpenJournal, JournalSnapshot]:
        await self.journal.close()
        return await self.start()


@pytest.fixture(params=["sqlite", "memory"])
async def worker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Worker]:
    worker = Worker(request.param, tmp_path)
    yield worker
    await worker.journal.close()


async def test_a_new_journal_is_empty(worker: Worker) -> None:
    _, snapshot = await worker.start()
    assert (snapshot.replicates, snapshot.updates, snapshot.ended) == ((), (), ())
    assert snapshot.commands == frozenset()


async def test_every_change_is_restored_after_a_restart(worker: Worker) -> None:
    journal, snapshot = await worker.start()
    first = snapshot.last_sequence + 1
    record = ReplicateRecord(TASK_ID)
    journal.save_assignment(b"wire", record)
    record = record.evolve(stage=Stage.COMPUTE, status=ReplicateStatus.COMPUTING)
    updates = [Update(first + i, TASK_ID, ReplicateStatus.STARTING) for i in range(3)]
    journal.save(record, updates)
    record = record.evolve(pending=(Command(5, TASK_ID, Action.ABORT),))
    journal.save_command(5, TASK_ID, record)
    await journal.delete_updates([first])

    journal, snapshot = await worker.restart()
    assert snapshot.replicates == ((b"wire", record),)
    assert snapshot.updates == tuple(updates[1:])
    assert snapshot.commands == {5}
    assert snapshot.last_sequence == first + 2
    await journal.end(TASK_ID, [Update(first + 3, TASK_ID, ReplicateStatus.ABORTED)])

    journal, snapshot = await worker.restart()
    assert (snapshot.replicates, snapshot.ended) == ((), (TASK_ID,))
    assert snapshot.last_sequence == first + 3


async def test_a_deleted_task_leaves_nothing_and_others_stay(worker: Worker) -> None:
    journal, snapshot = await worker.start()
    sequences = range(snapshot.last_sequence + 1, snapshot.last_sequence + 5)
    for task_id, first in ((TASK_ID, sequences[0]), (OTHER_TASK_ID, sequences[2])):
        journal.save_assignment(b"wire", ReplicateRecord(task_id))
        journal.save(ReplicateRecord(task_id), [Update(first, task_id, ReplicateStatus.STARTING)])
        await journal.end(task_id, [Update(first + 1, task_id, ReplicateStatus.ABORTED)])
    journal.save_assignment(b"wire", ReplicateRecord(TASK_ID))
    await journal.delete_updates([sequences[3]], [TASK_ID])

    _, snapshot = await worker.restart()
    assert (snapshot.replicates, snapshot.ended) == ((), (OTHER_TASK_ID,))
    assert [update.sequence for update in snapshot.updates] == [sequences[2]]
    assert snapshot.last_sequence == sequences[-1]


async def test_delete_task_removes_its_replicate_and_updates(worker: Worker) -> None:
    journal, snapshot = await worker.start()
    update = Update(snapshot.last_sequence + 1, TASK_ID, ReplicateStatus.STARTING)
    journal.save_assignment(b"wire", ReplicateRecord(TASK_ID))
    journal.save(ReplicateRecord(TASK_ID), [update])
    await journal.delete_task(TASK_ID)
    _, snapshot = await worker.restart()
    assert (snapshot.replicates, snapshot.updates) == ((), ())


async def test_the_memory_of_an_end_can_be_deleted(worker: Worker) -> None:
    journal, _ = await worker.start()
    journal.end(TASK_ID, [])
    journal.end(OTHER_TASK_ID, [])
    await journal.delete_end(TASK_ID)
    _, snapshot = await worker.restart()
    assert snapshot.ended == (OTHER_TASK_ID,)


async def test_the_latest_commands_are_remembered(worker: Worker) -> None:
    journal, _ = await worker.start()
    await journal.save_command(REMEMBERED_COMMANDS, TASK_ID)
    await journal.save_command(REMEMBERED_COMMANDS + 1, TASK_ID)
    _, snapshot = await worker.restart()
    assert {REMEMBERED_COMMANDS, REMEMBERED_COMMANDS + 1} <= snapshot.commands


async def test_a_record_of_an_unknown_replicate_is_not_stored(worker: Worker) -> None:
    journal, _ = await worker.start()
    await journal.save(ReplicateRecord(TASK_ID))
    _, snapshot = await worker.restart()
    assert snapshot.replicates == ()


async def test_sequences_increase_across_restarts_and_deleted_updates(worker: Worker) -> None:
    journal, snapshot = await worker.start()
    sequence = snapshot.last_sequence + 1
    await journal.save_command(1, TASK_ID, None, [Update(sequence, TASK_ID, ReplicateStatus.ABORTED)])
    await journal.delete_updates([sequence])
    _, snapshot = await worker.restart()
    assert snapshot.last_sequence == sequence


async def test_a_failed_write_fails_every_later_write_and_is_reported_once(worker: Worker) -> None:
    journal, snapshot = await worker.start()
    duplicate = Update(snapshot.last_sequence + 1, TASK_ID, ReplicateStatus.STARTING)
    await journal.save_command(1, TASK_ID, None, [duplicate])
    with pytest.raises(JournalUnusable):
        await journal.save_command(2, TASK_ID, None, [duplicate])
    with pytest.raises(JournalUnusable):
        await asyncio.wait_for(journal.delete_updates([1]), PATIENCE_S)
    assert len(worker.failures) == 1
