"""Blocking work of a replicate: ended by a command, by its time limit, and never waited for with a slot."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from patience import PATIENCE_S
from workerpool_kit.runtime.threads import in_daemon_thread
from workerpool_poco.protocol.statuses import ReplicateStatus as S
from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.post_compute import make_result
from workerpool_worker.domain.record import Command, Result
from workerpool_worker.domain.stages import Action, Stage
from workerpool_worker.errors import TaskFault, WorkTimedOut

from services.worker.tests.harness.builders import TASK_ID
from services.worker.tests.harness.context import make_context, make_replicate, statuses
from services.worker.tests.harness.replicates import started
from services.worker.tests.harness.waiting import Eventually

ABORT = Command(1, TASK_ID, Action.ABORT, cause=ReplicateStatusCause.CONSENSUS_REACHED)


async def test_abort_ends_a_cancellable_work_at_once(tmp_path: Path, eventually: Eventually) -> None:
    context = make_context(tmp_path)
    begun = threading.Event()

    def work(*, check: Callable[[], None]) -> None:
        while True:
            begun.set()
            check()

    async def step(replicate: Replicate) -> None:
        await replicate.run_cancellable(work, limit_s=10 * PATIENCE_S)

    replicate, life = started(context, step, Stage.COMPUTE)
    await eventually(begun.is_set)
    await replicate.accept_command(ABORT)
    await asyncio.wait_for(life, PATIENCE_S)
    assert statuses(context)[-1] is S.ABORTED


async def test_a_cancellable_work_has_a_time_limit(tmp_path: Path) -> None:
    def work(*, check: Callable[[], None]) -> None:
        while True:
            check()

    replicate = make_replicate(make_context(tmp_path))
    with pytest.raises(WorkTimedOut):
        await replicate.run_cancellable(work, limit_s=0.05)


async def test_an_aborted_replicate_frees_its_slot_before_its_files_are_gone(
    tmp_path: Path, eventually: Eventually
) -> None:
    context = make_context(tmp_path)
    begun, release = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        release.wait(PATIENCE_S)

    async def step(replicate: Replicate) -> None:
        await replicate.run_blocking(hang)

    replicate, life = started(context, step, Stage.COMPUTE)
    await eventually(begun.is_set)
    assert replicate.holds_slot
    await replicate.accept_command(ABORT)
    await eventually(lambda: not replicate.holds_slot)
    assert not life.done()
    release.set()
    await asyncio.wait_for(life, PATIENCE_S)


async def test_post_compute_out_of_time_is_the_requesters_fault(tmp_path: Path) -> None:
    replicate = make_replicate(make_context(tmp_path), stage=Stage.COMPUTE)

    def endless(*, check: Callable[[], None], **_: object) -> Result:
        while True:
            check()

    replicate.folder.make_result = endless  # type: ignore[assignment]
    replicate.context.policy = replace(replicate.context.policy, post_compute_limit_s=0.05)
    with pytest.raises(TaskFault) as fault:
        await make_result(replicate, exit_code=0)
    assert fault.value.cause is ReplicateStatusCause.POST_COMPUTE_TIMEOUT


async def test_a_thread_returns_its_result_or_its_error() -> None:
    def fail() -> None:
        raise OSError(5, "planted")

    assert await in_daemon_thread(lambda: threading.current_thread().daemon)
    with pytest.raises(OSError, match="planted"):
        await in_daemon_thread(fail)
