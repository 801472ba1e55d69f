"""The life of a replicate with steps of the test: retries, commands, interruption, end."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import stamina
from workerpool_kit.clock import FakeClock
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as S
from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_worker.adapters.files.workspace import DiskWorkspace
from workerpool_worker.app.replicate import Replicate, Step
from workerpool_worker.app.replicate_context import ReplicateContext
from workerpool_worker.domain.record import Command, ReplicateRecord, SentTransaction
from workerpool_worker.domain.stages import Action, Stage
from workerpool_worker.errors import (
    ChainUnavailable,
    DockerUnavailable,
    HostStorageUnavailable,
    InitializationOrphaned,
    StepFailed,
    TransactionUnconfirmed,
)

from services.worker.tests.doubles.journal import InMemoryJournal
from services.worker.tests.harness.builders import TASK_ID, assignment
from services.worker.tests.harness.context import make_context, make_replicate, statuses, unexpected, updates
from services.worker.tests.harness.waiting import Eventually

ABORT = Command(1, TASK_ID, Action.ABORT, cause=ReplicateStatusCause.CONSENSUS_REACHED)


class UnremovableWorkspace(DiskWorkspace):
    """Folders that cannot be removed, as those that an app created as root."""

    def remove(self, task_id: TaskId) -> None:
        raise PermissionError(13, "Permission denied")


async def waiting_step(replicate: Replicate) -> None:
    await asyncio.Event().wait()


async def completing_step(replicate: Replicate) -> None:
    replicate.complete_step()


def failing_step(*errors: Exception) -> Step:
    remaining = list(errors)

    async def step(replicate: Replicate) -> None:
        if remaining:
            raise remaining.pop(0)
        replicate.complete_step()

    return step


def started(
    context: ReplicateContext, step: Step, stage: Stage = Stage.START, **record: Any
) -> tuple[Replicate, asyncio.Task[None]]:
    """Run a replicate whose stage runs `step`; later stages wait."""
    steps = dict.fromkeys(Stage, waiting_step) | {stage: step}
    replicate = make_replicate(context, steps=steps, stage=stage, **record)
    return replicate, asyncio.create_task(replicate.run())


async def end(replicate: Replicate, life: asyncio.Task[None]) -> None:
    replicate.discard()
    await asyncio.wait_for(life, 10)


async def test_a_step_reports_its_start_and_its_success(tmp_path: Path, eventually: Eventually) -> None:
    context = make_context(tmp_path)
    replicate, life = started(context, completing_step)
    await eventually(lambda: statuses(context) == [S.STARTING, S.STARTED, S.APP_DOWNLOADING])
    await end(replicate, life)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (StepFailed(ReplicateStatusCause.STAKE_TOO_LOW), ReplicateStatusCause.STAKE_TOO_LOW),
        (HostStorageUnavailable("disk full"), ReplicateStatusCause.UNKNOWN),
        (RuntimeError("a defect"), ReplicateStatusCause.UNKNOWN),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_a_permanent_error_fails_the_step_at_once(
    tmp_path: Path, eventually: Eventually, error: Exception, cause: ReplicateStatusCause
) -> None:
    context = make_context(tmp_path)
    replicate, life = started(context, failing_step(error))
    await eventually(lambda: statuses(context) == [S.STARTING, S.START_FAILED])
    assert updates(context)[-1].details.cause is cause
    assert replicate.record.stage is Stage.FAILED
    await end(replicate, life)


TRANSIENT = [
    (ChainUnavailable("away"), ReplicateStatusCause.CHAIN_UNREACHABLE),
    (TransactionUnconfirmed("not mined"), ReplicateStatusCause.CHAIN_RECEIPT_NOT_VALID),
    (InitializationOrphaned("gone"), ReplicateStatusCause.TASK_NOT_ACTIVE),
    (DockerUnavailable("away"), ReplicateStatusCause.APP_COMPUTE_FAILED),
]


@pytest.mark.parametrize("error", [error for error, _ in TRANSIENT], ids=lambda error: type(error).__name__)
async def test_a_transient_error_is_retried(tmp_path: Path, eventually: Eventually, error: Exception) -> None:
    context = make_context(tmp_path)
    with stamina.set_testing(True, attempts=10):
        replicate, life = started(context, failing_step(error, error))
        await eventually(lambda: S.STARTED in statuses(context))
    assert S.START_FAILED not in statuses(context)
    await end(replicate, life)


@pytest.mark.parametrize(("error", "cause"), TRANSIENT, ids=lambda value: type(value).__name__)
async def test_a_transient_error_fails_the_step_at_its_deadline(
    tmp_path: Path, eventually: Eventually, error: Exception, cause: ReplicateStatusCause
) -> None:
    clock = FakeClock()
    context = make_context(tmp_path, clock=clock)
    replicate = make_replicate(
        context,
        steps={Stage.START: failing_step(error)},
        assigned=assignment(contribution_deadline=clock.now()),
    )
    life = asyncio.create_task(replicate.run())
    await eventually(lambda: statuses(context) == [S.STARTING, S.START_FAILED])
    assert updates(context)[-1].details.cause is cause
    await end(replicate, life)


@pytest.mark.parametrize(
    ("stage", "final"),
    [(Stage.START, False), (Stage.CONTRIBUTE, False), (Stage.REVEAL, True), (Stage.UPLOAD, True)],
)
async def test_the_deadline_of_a_stage(tmp_path: Path, stage: Stage, final: bool) -> None:
    task = assignment(contribution_deadline=10.0, final_deadline=20.0)
    replicate = make_replicate(make_context(tmp_path), assigned=task, stage=stage)
    assert replicate.deadline == (20.0 if final else 10.0)


async def test_abort_cancels_a_running_step_and_reports_its_cause(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    replicate, life = started(context, waiting_step)
    await asyncio.sleep(0)
    await replicate.accept_command(ABORT)
    await asyncio.wait_for(life, 10)
    assert updates(context)[-1].status is S.ABORTED
    assert updates(context)[-1].details.cause is ReplicateStatusCause.CONSENSUS_REACHED
    assert not replicate.folder.path.exists()


async def test_an_early_command_is_applied_when_the_step_ends(tmp_path: Path, eventually: Eventually) -> None:
    release = asyncio.Event()

    async def step(replicate: Replicate) -> None:
        await release.wait()
        replicate.complete_step()

    context = make_context(tmp_path)
    replicate, life = started(context, step, Stage.CONTRIBUTE)
    await replicate.accept_command(Command(1, TASK_ID, Action.REVEAL, block_number=5))
    assert replicate.record.stage is Stage.CONTRIBUTE
    release.set()
    await eventually(lambda: replicate.record.stage is Stage.REVEAL)
    assert replicate.record.consensus_block == 5
    await end(replicate, life)


async def test_a_command_without_effect_is_dropped(tmp_path: Path, eventually: Eventually) -> None:
    context = make_context(tmp_path)
    replicate = make_replicate(context, stage=Stage.AWAIT_REVEAL)
    life = asyncio.create_task(replicate.run())
    await replicate.accept_command(Command(1, TASK_ID, Action.UPLOAD))
    await eventually(lambda: replicate.record.pending == ())
    assert replicate.record.stage is Stage.AWAIT_REVEAL
    await end(replicate, life)


async def test_complete_ends_the_replicate(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    replicate = make_replicate(context, stage=Stage.AWAIT_END)
    await replicate.accept_command(Command(1, TASK_ID, Action.COMPLETE))
    await asyncio.wait_for(replicate.run(), 10)
    assert statuses(context) == [S.COMPLETING, S.COMPLETED]


async def test_a_replicate_expires_an_hour_after_its_final_deadline(tmp_path: Path) -> None:
    clock = FakeClock()
    context = make_context(tmp_path, clock=clock)
    task = assignment(final_deadline=clock.now() - 3600)
    replicate = make_replicate(context, assigned=task, stage=Stage.AWAIT_REVEAL)
    await asyncio.wait_for(replicate.run(), 10)
    assert statuses(context) == []


async def test_unremovable_files_do_not_delay_the_final_status(tmp_path: Path) -> None:
    workspace = UnremovableWorkspace(tmp_path)
    context = make_context(tmp_path, workspace=workspace)

    async def step(replicate: Replicate) -> None:
        replicate.folder.prepare_output()
        await asyncio.Event().wait()

    replicate, life = started(context, step)
    with stamina.set_testing(True, attempts=4):
        replicate.accept_command(ABORT)
        await asyncio.wait_for(life, 20)
    assert statuses(context)[-1] is S.ABORTED
    assert not replicate.folder.path.exists(), "a new replicate of the task starts with a clean folder"


async def test_no_thread_writes_into_the_folder_after_the_end(tmp_path: Path, eventually: Eventually) -> None:
    context = make_context(tmp_path)
    begun, release = threading.Event(), threading.Event()

    def write(prepare: Callable[[], None]) -> None:
        begun.set()
        release.wait(10)
        prepare()

    async def step(replicate: Replicate) -> None:
        await replicate.run_blocking(write, replicate.folder.prepare_output)

    replicate, life = started(context, step)
    await eventually(begun.is_set)
    await replicate.accept_command(ABORT)
    assert not life.done()
    release.set()
    await asyncio.wait_for(life, 10)
    assert statuses(context)[-1] is S.ABORTED
    assert list(tmp_path.iterdir()) == []


async def test_a_replacement_after_the_end_changes_no_record(tmp_path: Path) -> None:
    journal = InMemoryJournal(unexpected)
    context = make_context(tmp_path, journal=journal)
    replicate, life = started(context, waiting_step)
    replicate.accept_command(ABORT)
    await asyncio.wait_for(life, 10)
    journal.save_assignment(b"new work", ReplicateRecord(TASK_ID))
    await replicate.save_contribution_tx(SentTransaction("0xaa", "0xbb", 1))
    assert (await journal.open()).replicates == ((b"new work", ReplicateRecord(TASK_ID)),)


async def test_a_discarded_replicate_ends_without_a_report(tmp_path: Path) -> None:
    journal = InMemoryJournal(unexpected)
    context = make_context(tmp_path, journal=journal)
    replicate, life = started(context, waiting_step)
    await asyncio.sleep(0)
    await end(replicate, life)
    assert statuses(context) == []
    snapshot = await journal.open()
    assert (snapshot.replicates, snapshot.updates, snapshot.ended) == ((), (), ())
