"""The life of a replicate, with steps made by the test: it says its last word and leaves nothing, come what may."""

import asyncio
import sqlite3
import threading
import time

import pytest
from workerpool_kit.clock import SystemClock
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_worker.adapters.files.workspace import DiskWorkspace
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.adapters.stage_durations import StageDurations
from workerpool_worker.app import supervisor as supervisor_module
from workerpool_worker.app.outbox import Outbox
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.replicate_context import Policy, ReplicateContext
from workerpool_worker.app.supervisor import Supervisor
from workerpool_worker.domain.assignment import Assignment, Task
from workerpool_worker.domain.host import SlotLimits
from workerpool_worker.domain.record import Command, ReplicateRecord, SentTransaction
from workerpool_worker.domain.stages import Action, Stage

TASK_ID = TaskId("0x" + "01" * 32)


class NoContainers:
    """An engine on which the task has no container."""

    async def remove(self, task_id):
        pass


class StubbornWorkspace(DiskWorkspace):
    """Folders that cannot be removed, as when an app made some as root and the worker is somebody else."""

    def remove(self, task_id):
        raise PermissionError(13, "Permission denied")


def unexpected(problem):
    raise AssertionError(problem)


@pytest.fixture
async def context_in(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db", on_failure=unexpected)
    kept = await journal.open()

    def make(workspace):
        workspace.open()
        return ReplicateContext(
            wallet_address=ZERO_ADDRESS,
            policy=Policy("worker", 1, SlotLimits(1.0, 1 << 20, 10), 1, 1, 1, ()),
            clock=SystemClock(),
            chain=None,
            engine=NoContainers(),
            store=None,
            downloader=None,
            workspace=workspace,
            journal=journal,
            outbox=Outbox(kept.last_sequence),
            timings=StageDurations(10),
        )

    yield make
    await journal.close()


def replicate_in(context, step):
    deadline = time.time() + 60
    task = Task(TASK_ID, TASK_ID, 0, "app", "", 1.0, deadline, deadline, "0x")
    authorization = WorkerpoolAuthorization(ZERO_ADDRESS, TASK_ID, ZERO_ADDRESS, DealId(TASK_ID), 0, b"")
    record = ReplicateRecord(TASK_ID)
    context.journal.save_assignment(b"wire", record)
    return Replicate(context, {Stage.START: step}, Assignment(authorization, task, 0), record)


def last_word(context):
    return context.outbox.after(0, 100)[-1].status


async def test_files_that_cannot_be_removed_do_not_hold_back_the_last_word(context_in, tmp_path):
    context = context_in(StubbornWorkspace(tmp_path / "worker"))

    async def step(run):
        run.folder.prepare_output()
        await asyncio.Event().wait()

    replicate = replicate_in(context, step)
    life = asyncio.create_task(replicate.run())
    replicate.accept_command(Command(1, TASK_ID, Action.ABORT))
    await asyncio.wait_for(life, 20)
    assert last_word(context) is ReplicateStatus.ABORTED
    assert not replicate.folder.path.exists(), "new work on the task would begin with a clean folder"


async def test_nothing_writes_into_the_folder_after_the_end(context_in, tmp_path, eventually):
    context = context_in(DiskWorkspace(tmp_path / "worker"))
    begun, go_on = threading.Event(), threading.Event()

    def write(folder):
        begun.set()
        go_on.wait(10)
        folder.prepare_output()

    async def step(run):
        await run.run_blocking(write, run.folder)

    replicate = replicate_in(context, step)
    life = asyncio.create_task(replicate.run())
    await eventually(begun.is_set)
    await replicate.accept_command(Command(1, TASK_ID, Action.ABORT))
    assert not life.done()
    go_on.set()
    await asyncio.wait_for(life, 10)
    assert last_word(context) is ReplicateStatus.ABORTED
    assert list(context.workspace.root.iterdir()) == []


async def test_a_transaction_that_is_replaced_after_the_end_changes_no_record(
    context_in, tmp_path, eventually
):
    context = context_in(DiskWorkspace(tmp_path / "worker"))

    async def step(run):
        await asyncio.Event().wait()

    replicate = replicate_in(context, step)
    life = asyncio.create_task(replicate.run())
    replicate.accept_command(Command(1, TASK_ID, Action.ABORT))
    await asyncio.wait_for(life, 10)
    context.journal.save_assignment(b"new work", ReplicateRecord(TASK_ID))
    await replicate.save_contribution_tx(SentTransaction("0xaa", "0xbb", 1))
    await context.journal.close()
    journal = SqliteJournal(tmp_path / "journal.db", on_failure=unexpected)
    snapshot = await journal.open()
    await journal.close()
    assert snapshot.replicates == ((b"new work", ReplicateRecord(TASK_ID)),)


async def test_the_memory_of_what_is_over_is_bounded(context_in, tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor_module, "_REMEMBERED_ENDS", 3)
    monkeypatch.setattr(supervisor_module, "REMEMBERED_COMMANDS", 5)
    context = context_in(DiskWorkspace(tmp_path / "worker"))
    supervisor = Supervisor(context, {}, parse=unexpected, on_crash=unexpected)
    tasks = [f"0x{number:064x}" for number in range(10)]
    for sequence, task_id in enumerate(tasks, 1):
        supervisor.refuse(task_id, "unreadable")
        await supervisor.accept_command(Command(sequence, task_id, Action.CONTINUE))
        await supervisor.accept_command(Command(sequence, task_id, Action.CONTINUE))
    assert len(supervisor._commands) <= 2 * 5
    assert list(supervisor._ended) == tasks[-3:]
    await context.journal.close()
    journal = SqliteJournal(tmp_path / "journal.db", on_failure=unexpected)
    snapshot = await journal.open()
    await journal.close()
    assert snapshot.ended == tuple(tasks[-3:])


async def test_a_repeated_command_is_acknowledged_only_when_the_first_copy_is_safe(context_in, tmp_path):
    """The scheduler forgets an acknowledged command; killed before the disk has it, the worker would too."""
    context = context_in(DiskWorkspace(tmp_path / "worker"))
    supervisor = Supervisor(context, {}, parse=unexpected, on_crash=unexpected)
    busy_disk = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    busy_disk.execute("BEGIN IMMEDIATE")
    command = Command(1, TASK_ID, Action.UPLOAD)
    copies = [asyncio.create_task(supervisor.accept_command(command)) for _ in range(2)]
    await asyncio.wait(copies, timeout=0.2)
    assert context.outbox.drain_acks() == []
    busy_disk.execute("COMMIT")
    busy_disk.close()
    await asyncio.wait_for(asyncio.gather(*copies), 5)
    assert context.outbox.drain_acks() == [1, 1]
    assert len(context.outbox) == 1, "what it made the worker say is said once"
