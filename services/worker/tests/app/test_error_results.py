"""Error results: a fault of the task is reported, held without a slot, and ended by the scheduler's decision."""

import asyncio
from pathlib import Path

import pytest
from patience import PATIENCE_S
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.results import error_digest
from workerpool_poco.protocol.statuses import ReplicateStatus as S
from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_worker.app.outbox import Outbox
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.domain.record import Command
from workerpool_worker.domain.stages import Action, Stage
from workerpool_worker.errors import TaskFault

from services.worker.tests.doubles.journal import InMemoryJournal
from services.worker.tests.harness.builders import TASK_ID, assignment
from services.worker.tests.harness.context import make_context, statuses, unexpected, updates
from services.worker.tests.harness.replicates import end, failing_step, raising, started, waiting_step
from services.worker.tests.harness.waiting import Eventually

FAULT = TaskFault(ReplicateStatusCause.APP_COMPUTE_FAILED, "the app ended with exit code 3", exit_code=3)


@pytest.mark.parametrize(
    ("stage", "status"),
    [
        (Stage.DOWNLOAD_APP, S.APP_DOWNLOAD_FAILED),
        (Stage.DOWNLOAD_DATA, S.DATA_DOWNLOAD_FAILED),
        (Stage.COMPUTE, S.COMPUTED),
    ],
)
async def test_a_fault_of_the_task_becomes_an_error_result_that_waits_without_a_slot(
    tmp_path: Path, eventually: Eventually, stage: Stage, status: S
) -> None:
    context = make_context(tmp_path)
    replicate, life = started(context, failing_step(FAULT), stage)
    await eventually(lambda: status in statuses(context))
    details = updates(context)[-1].details
    assert (details.cause, details.exit_code, details.error_message) == (FAULT.cause, 3, FAULT.message)
    assert replicate.record.stage is Stage.AWAIT_DECISION
    assert replicate.record.result_available
    assert replicate.record.result is not None
    expected = error_digest(status, FAULT.cause, 3, callback=False)
    assert replicate.record.result.digest == to_hex(expected)
    assert not replicate.holds_slot
    await end(replicate, life)


async def test_a_fault_in_start_is_a_plain_failure(tmp_path: Path, eventually: Eventually) -> None:
    context = make_context(tmp_path)
    replicate, life = started(context, failing_step(FAULT))
    await eventually(lambda: S.START_FAILED in statuses(context))
    assert replicate.record.stage is Stage.FAILED
    await end(replicate, life)


async def test_an_error_result_is_contributed_on_command(tmp_path: Path, eventually: Eventually) -> None:
    context = make_context(tmp_path)
    replicate, life = started(context, failing_step(FAULT), Stage.COMPUTE)
    await eventually(lambda: replicate.record.stage is Stage.AWAIT_DECISION)
    await replicate.accept_command(Command(1, TASK_ID, Action.CONTRIBUTE))
    await eventually(lambda: S.CONTRIBUTING in statuses(context))
    await end(replicate, life)


async def test_an_unconfirmed_error_result_is_aborted_with_its_cause(
    tmp_path: Path, eventually: Eventually
) -> None:
    context = make_context(tmp_path)
    replicate, life = started(context, failing_step(FAULT), Stage.COMPUTE)
    await eventually(lambda: replicate.record.stage is Stage.AWAIT_DECISION)
    unconfirmed = ReplicateStatusCause.ERROR_RESULT_UNCONFIRMED
    await replicate.accept_command(Command(1, TASK_ID, Action.ABORT, cause=unconfirmed))
    await asyncio.wait_for(life, PATIENCE_S)
    assert updates(context)[-1].details.cause is unconfirmed
    assert list(tmp_path.iterdir()) == []


async def test_a_restarted_worker_continues_to_wait_with_its_error_result(
    tmp_path: Path, eventually: Eventually
) -> None:
    journal = InMemoryJournal(unexpected)
    first = make_context(tmp_path, journal=journal)
    replicate, life = started(first, failing_step(FAULT), Stage.COMPUTE)
    await eventually(lambda: S.COMPUTED in statuses(first))
    life.cancel()
    snapshot = await journal.open()
    ((_, record),) = snapshot.replicates
    assert record == replicate.record
    assert S.COMPUTED in [update.status for update in snapshot.updates], "it is reported again"
    outbox = Outbox(snapshot.last_sequence)
    context = make_context(tmp_path, journal=journal, outbox=outbox)
    resumed = Replicate(context, dict.fromkeys(Stage, waiting_step), assignment(), record)
    again = asyncio.create_task(resumed.run())
    await resumed.accept_command(Command(1, TASK_ID, Action.CONTRIBUTE))
    await eventually(lambda: statuses(context) == [S.CONTRIBUTING])
    await end(resumed, again)


async def test_a_full_disk_under_an_error_result_is_the_hosts_fault(
    tmp_path: Path, eventually: Eventually
) -> None:
    """Scenario 18: the error result cannot be written."""
    context = make_context(tmp_path)
    replicate, life = started(context, failing_step(FAULT), Stage.COMPUTE)
    replicate.folder.make_error_result = raising(OSError(28, "No space left on device"))  # type: ignore[method-assign]
    await eventually(lambda: S.COMPUTE_FAILED in statuses(context))
    assert updates(context)[-1].details.cause is ReplicateStatusCause.HOST_FAILED
    await end(replicate, life)
