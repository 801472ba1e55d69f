"""The supervisor: assignments, commands, answers, restart, bounded memory."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_poco.protocol.ids import TaskId, to_hex
from workerpool_poco.protocol.statuses import ReplicateStatus as S
from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_poco.protocol.tags import make_tag
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.app import supervisor as supervisor_module
from workerpool_worker.app.replicate import Replicate, Step
from workerpool_worker.app.replicate_context import ReplicateContext
from workerpool_worker.app.supervisor import Supervisor, UpdateResult
from workerpool_worker.domain.record import Command, ReplicateRecord
from workerpool_worker.domain.stages import Action, Stage

from services.worker.tests.doubles.journal import InMemoryJournal
from services.worker.tests.harness.builders import OTHER_TASK_ID, TASK_ID, assignment
from services.worker.tests.harness.context import POLICY, make_context, statuses, unexpected, updates
from services.worker.tests.harness.replicates import completing_step
from services.worker.tests.harness.waiting import Eventually


async def waiting_step(replicate: Replicate) -> None:
    await asyncio.Event().wait()


@pytest.fixture
def journal() -> InMemoryJournal:
    return InMemoryJournal(unexpected)


@pytest.fixture
def context(tmp_path: Path, journal: InMemoryJournal) -> ReplicateContext:
    return make_context(tmp_path, journal=journal)


@pytest.fixture
async def supervisor_with(context: ReplicateContext) -> AsyncIterator[Callable[..., Supervisor]]:
    """Make supervisors whose steps wait; they are stopped after the test."""
    made: list[Supervisor] = []

    def make(step: Step = waiting_step, on_crash: Callable[[BaseException], Any] = unexpected) -> Supervisor:
        steps = dict.fromkeys(Stage, step)
        made.append(Supervisor(context, steps, parse=lambda wire: assignment(wire), on_crash=on_crash))
        return made[-1]

    yield make
    for each in made:
        await each.stop()


@pytest.fixture
def supervisor(supervisor_with: Callable[..., Supervisor]) -> Supervisor:
    return supervisor_with()


def held(supervisor: Supervisor) -> list[TaskId]:
    return [record.task_id for record in supervisor.held()]


def unknown(sequence: int) -> UpdateResult:
    return UpdateResult(sequence, refused=True, abort=True, unknown=True, reason="UNKNOWN_REPLICATE")


async def test_a_repeated_assignment_starts_one_replicate(
    supervisor: Supervisor, context: ReplicateContext, eventually: Eventually
) -> None:
    for _ in range(3):
        supervisor.assign(assignment())
    await eventually(lambda: statuses(context) == [S.STARTING])
    assert held(supervisor) == [TASK_ID]
    assert supervisor.free_slots == 1


async def test_a_replicate_occupies_its_slot_until_computed(
    supervisor: Supervisor, journal: InMemoryJournal
) -> None:
    journal.save_assignment(b"wire", ReplicateRecord(TASK_ID, stage=Stage.CONTRIBUTE))
    supervisor.resume(await journal.open())
    assert supervisor.free_slots == 2


async def test_only_a_computing_task_that_requires_gpus_uses_them(
    tmp_path: Path, eventually: Eventually
) -> None:
    context = make_context(tmp_path, policy=replace(POLICY, slots=3, gpus_per_task=2))
    steps = dict.fromkeys(Stage, waiting_step) | {Stage.DOWNLOAD_DATA: completing_step}
    supervisor = Supervisor(context, steps, parse=unexpected, on_crash=unexpected)
    asks = to_hex(make_tag(gpu=True))
    supervisor.assign(assignment(tag=asks))
    await eventually(lambda: statuses(context) == [S.STARTING])
    assert supervisor.gpus_in_use == 0
    await supervisor.stop()

    steps |= dict.fromkeys((Stage.START, Stage.DOWNLOAD_APP), completing_step)
    supervisor = Supervisor(context, steps, parse=unexpected, on_crash=unexpected)
    supervisor.assign(assignment(task_id=OTHER_TASK_ID, tag=asks))
    supervisor.assign(assignment(task_id=TASK_ID))
    await eventually(lambda: [each.status for each in supervisor.held()] == [S.COMPUTING] * 2)
    assert supervisor.gpus_in_use == 2
    await supervisor.stop()


async def test_replicates_are_resumed_after_a_restart(
    supervisor_with: Callable[..., Supervisor], journal: InMemoryJournal, eventually: Eventually
) -> None:
    first = supervisor_with()
    first.assign(assignment())
    await first.stop()
    second = supervisor_with()
    second.resume(await journal.open())
    assert held(second) == [TASK_ID]


async def test_an_ended_task_is_not_started_again(
    supervisor: Supervisor, context: ReplicateContext, eventually: Eventually
) -> None:
    supervisor.assign(assignment())
    await supervisor.accept_command(Command(1, TASK_ID, Action.ABORT))
    await eventually(lambda: not held(supervisor))
    supervisor.assign(assignment())
    assert held(supervisor) == []


async def test_an_unreadable_assignment_is_answered_once(
    supervisor: Supervisor, context: ReplicateContext, eventually: Eventually
) -> None:
    supervisor.refuse(TASK_ID, "the deal id is too short")
    supervisor.refuse(TASK_ID, "the deal id is too short")
    await eventually(lambda: statuses(context) == [S.STARTING, S.START_FAILED, S.ABORTED])
    details = updates(context)[-1].details
    assert details.cause is ReplicateStatusCause.TASK_DESCRIPTION_INVALID
    assert details.error_message == "the deal id is too short"


async def test_a_command_about_an_unknown_task_is_answered(
    supervisor: Supervisor, context: ReplicateContext
) -> None:
    await supervisor.accept_command(Command(1, TASK_ID, Action.UPLOAD))
    assert statuses(context) == [S.RESULT_UPLOAD_FAILED]
    assert context.outbox.drain_acks() == [1]


async def test_a_duplicate_command_is_acknowledged_and_applied_once(
    supervisor: Supervisor, context: ReplicateContext
) -> None:
    for _ in range(2):
        await supervisor.accept_command(Command(1, TASK_ID, Action.UPLOAD))
    assert statuses(context) == [S.RESULT_UPLOAD_FAILED]
    assert context.outbox.drain_acks() == [1, 1]


async def test_a_command_known_before_a_restart_is_not_applied_again(
    supervisor: Supervisor, context: ReplicateContext, journal: InMemoryJournal
) -> None:
    journal.save_command(1, TASK_ID)
    supervisor.resume(await journal.open())
    await supervisor.accept_command(Command(1, TASK_ID, Action.UPLOAD))
    assert statuses(context) == []
    assert context.outbox.drain_acks() == [1]


async def test_an_answered_update_is_deleted(
    supervisor: Supervisor, context: ReplicateContext, journal: InMemoryJournal, eventually: Eventually
) -> None:
    supervisor.assign(assignment())
    (update,) = await eventually(lambda: updates(context))
    supervisor.apply_results([UpdateResult(update.sequence, refused=False, abort=False)])
    assert updates(context) == []
    assert (await journal.open()).updates == ()
    assert held(supervisor) == [TASK_ID]


async def test_a_refused_update_aborts_its_replicate(
    supervisor: Supervisor, context: ReplicateContext, eventually: Eventually
) -> None:
    supervisor.assign(assignment())
    (update,) = await eventually(lambda: updates(context))
    supervisor.apply_results([UpdateResult(update.sequence, refused=True, abort=True)])
    await eventually(lambda: statuses(context) == [S.ABORTED])


async def test_an_unknown_replicate_is_discarded_and_its_task_can_be_assigned_again(
    supervisor: Supervisor, context: ReplicateContext, eventually: Eventually
) -> None:
    supervisor.assign(assignment())
    (update,) = await eventually(lambda: updates(context))
    supervisor.apply_results([unknown(update.sequence)])
    assert held(supervisor) == []
    supervisor.assign(assignment(wire=b"new"))
    await eventually(lambda: held(supervisor) == [TASK_ID])
    assert S.ABORTED not in statuses(context)


async def test_dropped_replicates_are_removed_without_a_report(
    supervisor: Supervisor, context: ReplicateContext, journal: InMemoryJournal, eventually: Eventually
) -> None:
    supervisor.assign(assignment())
    await eventually(lambda: updates(context))
    supervisor.drop([TASK_ID, OTHER_TASK_ID])
    assert held(supervisor) == []
    assert updates(context) == []
    snapshot = await journal.open()
    assert (snapshot.replicates, snapshot.updates) == ((), ())


async def test_an_exception_that_ends_a_replicates_task_is_reported(
    supervisor_with: Callable[..., Supervisor], context: ReplicateContext, eventually: Eventually
) -> None:
    crashes: list[BaseException] = []

    async def step(replicate: Replicate) -> None:
        replicate.record = replicate.record.evolve(stage="not a stage")

    supervisor = supervisor_with(step, crashes.append)
    supervisor.assign(assignment())
    await eventually(lambda: crashes)
    assert isinstance(crashes[0], KeyError)


async def test_the_memory_of_ended_tasks_and_commands_is_bounded(
    supervisor: Supervisor, journal: InMemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "_REMEMBERED_ENDS", 3)
    monkeypatch.setattr(supervisor_module, "REMEMBERED_COMMANDS", 5)
    tasks = [TaskId(f"0x{number:064x}") for number in range(10)]
    for sequence, task_id in enumerate(tasks, 1):
        supervisor.refuse(task_id, "unreadable")
        await supervisor.accept_command(Command(sequence, task_id, Action.CONTINUE))
        await supervisor.accept_command(Command(sequence, task_id, Action.CONTINUE))
    assert len(supervisor._commands) <= 2 * 5
    assert list(supervisor._ended) == tasks[-3:]
    assert (await journal.open()).ended == tuple(tasks[-3:])


async def test_a_duplicate_command_is_acknowledged_only_when_the_first_copy_is_durable(
    tmp_path: Path,
) -> None:
    """The scheduler deletes an acknowledged command, so a worker killed before the write would lose it."""
    journal = SqliteJournal(tmp_path / "journal.db", on_failure=unexpected)
    await journal.open()
    context = make_context(tmp_path / "worker", journal=journal)
    supervisor = Supervisor(context, {}, parse=unexpected, on_crash=unexpected)
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    command = Command(1, TASK_ID, Action.UPLOAD)
    copies = [asyncio.create_task(supervisor.accept_command(command)) for _ in range(2)]
    await asyncio.wait(copies, timeout=0.2)
    assert context.outbox.drain_acks() == []
    other.execute("COMMIT")
    other.close()
    await asyncio.wait_for(asyncio.gather(*copies), PATIENCE_S)
    assert context.outbox.drain_acks() == [1, 1]
    assert len(context.outbox) == 1, "the command is answered once"
    await journal.close()
