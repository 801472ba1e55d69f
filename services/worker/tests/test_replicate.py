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
from workerpool_worker.adapters.files.workspace import Workspace
from workerpool_worker.adapters.sqlite_journal import Journal
from workerpool_worker.adapters.stage_durations import Durations
from workerpool_worker.app import supervisor as supervisor_module
from workerpool_worker.app.outbox import Outbox
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.replicate_context import Office, Policy
from workerpool_worker.app.supervisor import Supervisor
from workerpool_worker.domain.assignment import Assignment, Task
from workerpool_worker.domain.host import SlotLimits
from workerpool_worker.domain.record import Command, Record, SentTransaction
from workerpool_worker.domain.stages import Action, Stage

TASK_ID = TaskId("0x" + "01" * 32)


class NoContainers:
    """An engine on which the task has no container."""

    async def remove(self, task_id):
        pass


class StubbornWorkspace(Workspace):
    """Folders that cannot be removed, as when an app made some as root and the worker is somebody else."""

    def remove(self, task_id):
        raise PermissionError(13, "Permission denied")


def unexpected(problem):
    raise AssertionError(problem)


@pytest.fixture
async def office_in(tmp_path):
    journal = Journal(tmp_path / "journal.db", on_failure=unexpected)
    kept = await journal.open()

    def make(workspace):
        workspace.open()
        return Office(
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
            durations=Durations(10),
        )

    yield make
    await journal.close()


def replicate_in(office, step):
    deadline = time.time() + 60
    task = Task(TASK_ID, TASK_ID, 0, "app", "", 1.0, deadline, deadline, "0x")
    authorization = WorkerpoolAuthorization(ZERO_ADDRESS, TASK_ID, ZERO_ADDRESS, DealId(TASK_ID), 0, b"")
    record = Record(TASK_ID)
    office.journal.take_assignment(b"wire", record)
    return Replicate(office, {Stage.START: step}, Assignment(authorization, task, 0), record)


def last_word(office):
    return office.outbox.after(0, 100)[-1].status


async def test_files_that_cannot_be_removed_do_not_hold_back_the_last_word(office_in, tmp_path):
    office = office_in(StubbornWorkspace(tmp_path / "worker"))

    async def step(run):
        run.folder.prepare_output()
        await asyncio.Event().wait()

    replicate = replicate_in(office, step)
    life = asyncio.create_task(replicate.live())
    replicate.take(Command(1, TASK_ID, Action.ABORT))
    await asyncio.wait_for(life, 20)
    assert last_word(office) is ReplicateStatus.ABORTED
    assert not replicate.folder.path.exists(), "new work on the task would begin with a clean folder"


async def test_nothing_writes_into_the_folder_after_the_end(office_in, tmp_path, eventually):
    office = office_in(Workspace(tmp_path / "worker"))
    begun, go_on = threading.Event(), threading.Event()

    def write(folder):
        begun.set()
        go_on.wait(10)
        folder.prepare_output()

    async def step(run):
        await run.in_thread(write, run.folder)

    replicate = replicate_in(office, step)
    life = asyncio.create_task(replicate.live())
    await eventually(begun.is_set)
    await replicate.take(Command(1, TASK_ID, Action.ABORT))
    assert not life.done()
    go_on.set()
    await asyncio.wait_for(life, 10)
    assert last_word(office) is ReplicateStatus.ABORTED
    assert list(office.workspace.root.iterdir()) == []


async def test_a_transaction_that_is_replaced_after_the_end_changes_no_record(
    office_in, tmp_path, eventually
):
    office = office_in(Workspace(tmp_path / "worker"))

    async def step(run):
        await asyncio.Event().wait()

    replicate = replicate_in(office, step)
    life = asyncio.create_task(replicate.live())
    replicate.take(Command(1, TASK_ID, Action.ABORT))
    await asyncio.wait_for(life, 10)
    office.journal.take_assignment(b"new work", Record(TASK_ID))
    await replicate.keep_contribution(SentTransaction("0xaa", "0xbb", 1))
    await office.journal.close()
    kept = await office.journal.open()
    assert kept.replicates == ((b"new work", Record(TASK_ID)),)


async def test_the_memory_of_what_is_over_is_bounded(office_in, tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor_module, "_KEPT_ENDS", 3)
    monkeypatch.setattr(supervisor_module, "KEPT_COMMANDS", 5)
    office = office_in(Workspace(tmp_path / "worker"))
    supervisor = Supervisor(office, {}, parse=unexpected, on_crash=unexpected)
    tasks = [f"0x{number:064x}" for number in range(10)]
    for sequence, task_id in enumerate(tasks, 1):
        supervisor.refuse(task_id, "unreadable")
        await supervisor.command(Command(sequence, task_id, Action.CONTINUE))
        await supervisor.command(Command(sequence, task_id, Action.CONTINUE))
    assert len(supervisor._commands) <= 2 * 5
    assert list(supervisor._ended) == tasks[-3:]
    await office.journal.close()
    assert (await office.journal.open()).ended == tuple(tasks[-3:])


async def test_a_repeated_command_is_acknowledged_only_when_the_first_copy_is_safe(office_in, tmp_path):
    """The scheduler forgets an acknowledged command; killed before the disk has it, the worker would too."""
    office = office_in(Workspace(tmp_path / "worker"))
    supervisor = Supervisor(office, {}, parse=unexpected, on_crash=unexpected)
    busy_disk = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    busy_disk.execute("BEGIN IMMEDIATE")
    command = Command(1, TASK_ID, Action.UPLOAD)
    copies = [asyncio.create_task(supervisor.command(command)) for _ in range(2)]
    await asyncio.wait(copies, timeout=0.2)
    assert office.outbox.take_acks() == []
    busy_disk.execute("COMMIT")
    busy_disk.close()
    await asyncio.wait_for(asyncio.gather(*copies), 5)
    assert office.outbox.take_acks() == [1, 1]
    assert len(office.outbox) == 1, "what it made the worker say is said once"
