"""The life of a replicate with steps of the test: retries, commands, interruption, end."""

import asyncio
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
import stamina
from patience import PATIENCE_S
from workerpool_kit.clock import FakeClock
from workerpool_poco.protocol.ids import TaskId, to_hex
from workerpool_poco.protocol.statuses import ReplicateStatus as S
from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_poco.protocol.tags import make_tag
from workerpool_worker.adapters.files.workspace import DiskWorkspace
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.domain import outages
from workerpool_worker.domain.failures.app_exit import AppExit
from workerpool_worker.domain.record import Command, ReplicateRecord
from workerpool_worker.domain.stages import Action, Stage
from workerpool_worker.domain.updates import Update
from workerpool_worker.errors import (
    ChainUnavailable,
    DockerUnavailable,
    EngineRefused,
    HostDeviceUnavailable,
    HostStorageUnavailable,
    InitializationOrphaned,
    RuntimeUnavailable,
    StepFailed,
    TaskFault,
    TransactionUnconfirmed,
    WalletOutOfGas,
)

from services.worker.tests.doubles.journal import InMemoryJournal
from services.worker.tests.doubles.runtime_guard import RecordingRuntimeGuard
from services.worker.tests.harness.builders import TASK_ID, assignment
from services.worker.tests.harness.context import (
    POLICY,
    make_context,
    make_replicate,
    statuses,
    unexpected,
    updates,
)
from services.worker.tests.harness.replicates import completing_step, end, failing_step, started, waiting_step
from services.worker.tests.harness.waiting import Eventually

ABORT = Command(1, TASK_ID, Action.ABORT, cause=ReplicateStatusCause.CONSENSUS_REACHED)


class UnremovableWorkspace(DiskWorkspace):
    """Folders that cannot be removed, as those that an app created as root."""

    def remove(self, task_id: TaskId) -> None:
        raise PermissionError(13, "Permission denied")


class RecordedMeasures:
    """Implements `Measures`."""

    def __init__(self) -> None:
        self.succeeded: list[Stage] = []
        self.failed: list[tuple[Stage, ReplicateStatusCause]] = []
        self.ended: list[AppExit] = []

    def stage_succeeded(self, stage: Stage, seconds: float) -> None:
        assert seconds >= 0
        self.succeeded.append(stage)

    def stage_failed(self, stage: Stage, cause: ReplicateStatusCause) -> None:
        self.failed.append((stage, cause))

    def app_ended(self, ended: AppExit) -> None:
        self.ended.append(ended)


async def test_stages_that_succeed_and_fail_are_measured(tmp_path: Path, eventually: Eventually) -> None:
    measures = RecordedMeasures()
    context = make_context(tmp_path, measures=measures)
    fault = TaskFault(ReplicateStatusCause.APP_IMAGE_DOWNLOAD_FAILED, "no such image")
    replicate = make_replicate(
        context, steps={Stage.START: completing_step, Stage.DOWNLOAD_APP: failing_step(fault)}
    )
    life = asyncio.create_task(replicate.run())
    await eventually(lambda: replicate.record.stage is Stage.AWAIT_DECISION)
    assert measures.succeeded == [Stage.START]
    assert measures.failed == [(Stage.DOWNLOAD_APP, ReplicateStatusCause.APP_IMAGE_DOWNLOAD_FAILED)]
    await end(replicate, life)
    other, life = started(context, failing_step(StepFailed(ReplicateStatusCause.STAKE_TOO_LOW)))
    await eventually(lambda: other.record.stage is Stage.FAILED)
    assert measures.failed[1:] == [(Stage.START, ReplicateStatusCause.STAKE_TOO_LOW)]
    await end(other, life)


async def test_a_success_and_the_next_start_are_one_change_of_the_journal(
    tmp_path: Path, eventually: Eventually
) -> None:
    saved_in = dict[S, int]()
    turn = 0

    class CountingJournal(InMemoryJournal):
        def save(
            self, record: ReplicateRecord, updates: Iterable[Update] = (), *, at_once: bool = True
        ) -> asyncio.Future[None]:
            saved_in[record.status] = turn
            return super().save(record, updates, at_once=at_once)

    async def count_turns() -> None:
        nonlocal turn
        while True:
            await asyncio.sleep(0)
            turn += 1

    counting = asyncio.create_task(count_turns())
    context = make_context(tmp_path, journal=CountingJournal(unexpected))
    replicate, life = started(context, completing_step)
    await eventually(lambda: S.APP_DOWNLOADING in saved_in)
    assert saved_in[S.STARTED] == saved_in[S.APP_DOWNLOADING]
    counting.cancel()
    await end(replicate, life)


async def test_a_step_reports_its_start_and_its_success(tmp_path: Path, eventually: Eventually) -> None:
    context = make_context(tmp_path)
    replicate, life = started(context, completing_step)
    await eventually(lambda: statuses(context) == [S.STARTING, S.STARTED, S.APP_DOWNLOADING])
    await end(replicate, life)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (StepFailed(ReplicateStatusCause.STAKE_TOO_LOW), ReplicateStatusCause.STAKE_TOO_LOW),
        (HostStorageUnavailable("disk full"), ReplicateStatusCause.HOST_FAILED),
        (HostDeviceUnavailable("no driver"), ReplicateStatusCause.HOST_FAILED),
        (EngineRefused("the policy of this host forbids it"), ReplicateStatusCause.HOST_FAILED),
        (OSError(5, "Input/output error"), ReplicateStatusCause.HOST_FAILED),
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
    (WalletOutOfGas("insufficient funds"), ReplicateStatusCause.OUT_OF_GAS),
    (InitializationOrphaned("gone"), ReplicateStatusCause.TASK_NOT_ACTIVE),
    (DockerUnavailable("away"), ReplicateStatusCause.HOST_FAILED),
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
    ("stage", "limit", "status"),
    [
        (Stage.COMPUTE, "COMPUTE_LIMIT_S", S.COMPUTE_FAILED),
        (Stage.DOWNLOAD_APP, "EARLY_LIMIT_S", S.APP_DOWNLOAD_FAILED),
    ],
)
async def test_a_lasting_outage_of_the_engine_hands_the_task_over(
    tmp_path: Path,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
    stage: Stage,
    limit: str,
    status: S,
) -> None:
    monkeypatch.setattr(outages, limit, 0.3)
    context = make_context(tmp_path)
    replicate, life = started(context, failing_step(*[DockerUnavailable("away")] * 99), stage)
    await eventually(lambda: status in statuses(context))
    assert updates(context)[-1].details.cause is ReplicateStatusCause.HOST_FAILED
    assert not replicate.holds_slot
    await end(replicate, life)


async def test_a_lost_runtime_parks_the_worker_and_hands_the_task_over(
    tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "EARLY_LIMIT_S", 0.3)
    guard = RecordingRuntimeGuard()
    context = make_context(tmp_path, runtime=guard, policy=replace(POLICY, gpus_per_task=2))
    steps = {Stage.COMPUTE: failing_step(*[RuntimeUnavailable("no driver")] * 99)}
    asks = assignment(tag=to_hex(make_tag(gpu=True)))
    replicate = make_replicate(context, steps=steps, assigned=asks, stage=Stage.COMPUTE)
    life = asyncio.create_task(replicate.run())
    await eventually(lambda: bool(guard.losses))
    assert guard.losses[0] == ("no driver", 2)
    await eventually(lambda: statuses(context) == [S.COMPUTING, S.COMPUTE_FAILED])
    assert updates(context)[-1].details.cause is ReplicateStatusCause.HOST_FAILED
    assert len(guard.losses) > 1, "it is tried again for a moment"
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
    await asyncio.wait_for(life, PATIENCE_S)
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
    await asyncio.wait_for(replicate.run(), PATIENCE_S)
    assert statuses(context) == [S.COMPLETING, S.COMPLETED]


async def test_a_replicate_expires_an_hour_after_its_final_deadline(tmp_path: Path) -> None:
    clock = FakeClock()
    context = make_context(tmp_path, clock=clock)
    task = assignment(final_deadline=clock.now() - 3600)
    replicate = make_replicate(context, assigned=task, stage=Stage.AWAIT_REVEAL)
    await asyncio.wait_for(replicate.run(), PATIENCE_S)
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
        await asyncio.wait_for(life, PATIENCE_S)
    assert statuses(context)[-1] is S.ABORTED
    assert not replicate.folder.path.exists(), "a new replicate of the task starts with a clean folder"


async def test_no_thread_writes_into_the_folder_after_the_end(tmp_path: Path, eventually: Eventually) -> None:
    context = make_context(tmp_path)
    begun, release = threading.Event(), threading.Event()

    def write(prepare: Callable[[], None]) -> None:
        begun.set()
        release.wait(PATIENCE_S)
        prepare()

    async def step(replicate: Replicate) -> None:
        await replicate.run_blocking(write, replicate.folder.prepare_output)

    replicate, life = started(context, step)
    await eventually(begun.is_set)
    await replicate.accept_command(ABORT)
    assert not life.done()
    release.set()
    await asyncio.wait_for(life, PATIENCE_S)
    assert statuses(context)[-1] is S.ABORTED
    assert list(tmp_path.iterdir()) == []


async def test_a_discarded_replicate_ends_without_a_report(tmp_path: Path) -> None:
    journal = InMemoryJournal(unexpected)
    context = make_context(tmp_path, journal=journal)
    replicate, life = started(context, waiting_step)
    await asyncio.sleep(0)
    await end(replicate, life)
    assert statuses(context) == []
    snapshot = await journal.open()
    assert (snapshot.replicates, snapshot.updates, snapshot.ended) == ((), (), ())
