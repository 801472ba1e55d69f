"""Statuses that a worker reports for its own replicates: order, repetition, and evidence on chain."""

import asyncio

import pytest
from contract.assigned_tasks import (
    FAR_FUTURE,
    TO_COMPUTING,
    TO_CONTRIBUTING,
    UNKNOWN,
    AssignedTasks,
    core_environment,
    refused_update,
)
from contract.worker_stream import WorkerStream
from patience import PATIENCE_S
from workerpool_protocol.core.v1 import pool_service_pb2
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatus as R
from workerpool_protocol.core.v1.statuses_pb2 import TaskStatus as T

__all__ = ["core_environment"]
pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize(
    "status",
    [
        s
        for s in R.values()
        if s not in (0, R.REPLICATE_STATUS_CREATED, R.REPLICATE_STATUS_STARTING, R.REPLICATE_STATUS_ABORTED)
    ],
    ids=lambda s: R.Name(s)[17:],
)
async def test_a_status_that_cannot_follow_created_is_refused(
    assigned: AssignedTasks, ours: WorkerStream, status: int
) -> None:
    await refused_update(ours, assigned.shared, status, "BAD_WORKFLOW_TRANSITION")
    assert await assigned.history(assigned.shared) == [R.REPLICATE_STATUS_CREATED]


@pytest.mark.parametrize(
    "status",
    [
        R.REPLICATE_STATUS_WORKER_LOST,
        R.REPLICATE_STATUS_RECOVERING,
        R.REPLICATE_STATUS_FAILED,
        R.REPLICATE_STATUS_RESULT_UPLOAD_REQUESTED,
    ],
    ids=lambda s: R.Name(s)[17:],
)
async def test_statuses_of_the_scheduler_are_refused_from_a_worker(
    assigned: AssignedTasks, ours: WorkerStream, status: int
) -> None:
    task = assigned.task()
    for step in TO_COMPUTING:
        assert (await ours.answer(task, step)).outcome == pb.UPDATE_OUTCOME_ACCEPTED
    before = await assigned.history(task)
    await refused_update(ours, task, status, "BAD_WORKFLOW_TRANSITION")
    assert await assigned.history(task) == before


async def test_created_is_already_known_and_has_no_effect(
    assigned: AssignedTasks, ours: WorkerStream
) -> None:
    task = assigned.task()
    assert (await ours.answer(task, R.REPLICATE_STATUS_CREATED)).outcome == pb.UPDATE_OUTCOME_ALREADY_KNOWN
    assert await assigned.history(task) == [R.REPLICATE_STATUS_CREATED]


async def test_a_replayed_sequence_gets_the_same_answer_and_has_no_effect(
    assigned: AssignedTasks, ours: WorkerStream
) -> None:
    task, untouched = assigned.task(), assigned.task()
    first = await ours.answer(task, R.REPLICATE_STATUS_STARTING, sequence=7)
    assert first.outcome == pb.UPDATE_OUTCOME_ACCEPTED
    for replayed, status in (
        (task, R.REPLICATE_STATUS_STARTING),
        (task, R.REPLICATE_STATUS_STARTED),
        (untouched, R.REPLICATE_STATUS_STARTING),
    ):
        again = await ours.answer(replayed, status, sequence=7)
        assert again.outcome == pb.UPDATE_OUTCOME_ALREADY_KNOWN
    await refused_update(ours, task, R.REPLICATE_STATUS_COMPUTED, "BAD_WORKFLOW_TRANSITION", sequence=9)
    await refused_update(ours, task, R.REPLICATE_STATUS_COMPUTED, "BAD_WORKFLOW_TRANSITION", sequence=9)
    assert await assigned.history(task) == [R.REPLICATE_STATUS_CREATED, R.REPLICATE_STATUS_STARTING]
    assert await assigned.history(untouched) == [R.REPLICATE_STATUS_CREATED]


async def test_a_known_status_is_stored_once(assigned: AssignedTasks, ours: WorkerStream) -> None:
    task = assigned.task()
    for step in TO_COMPUTING:
        await ours.answer(task, step)
    before = await assigned.pool.task(task)
    for step in TO_COMPUTING:
        assert (await ours.answer(task, step)).outcome == pb.UPDATE_OUTCOME_ALREADY_KNOWN
    assert await assigned.pool.task(task) == before


async def test_long_logs_keep_their_last_100000_characters(
    assigned: AssignedTasks, ours: WorkerStream
) -> None:
    task = assigned.task()
    for step in TO_COMPUTING:
        await ours.answer(task, step)
    stdout, stderr = "a" * 50_000 + "é" * 99_999 + "z", "b" * 100_001
    done = await ours.answer(task, R.REPLICATE_STATUS_COMPUTED, stdout=stdout, stderr=stderr, exit_code=3)
    assert done.outcome == pb.UPDATE_OUTCOME_ACCEPTED
    replicate = await assigned.replicate(task)
    assert (replicate.logs_present, replicate.exit_code) == (True, 3)
    (kept,) = await assigned.pool.logs(task)
    assert kept.stdout == stdout[-100_000:]
    assert kept.stderr == stderr[-100_000:]


# --- chain evidence ---------------------------------------------------------------------


async def test_a_contribution_that_is_not_on_chain_is_refused_and_blocks_no_other_update(
    assigned: AssignedTasks, ours: WorkerStream
) -> None:
    """The update waits for its chain evidence, for some blocks or until the task ends. Other updates are answered."""
    # The task ends at its contribution deadline, 14 s after the purchase, which bounds this test.
    (short,) = await assigned.pool.buy(category="DEV-2S")
    await ours.until(lambda: any(a.task.task_id == short for a in ours.assignments()))
    for step in TO_CONTRIBUTING:
        assert (await ours.answer(short, step)).outcome == pb.UPDATE_OUTCOME_ACCEPTED
    receipt = {"block_number": FAR_FUTURE, "transaction_hash": "0x" + "12" * 32}
    waiting = await ours.report(short, R.REPLICATE_STATUS_CONTRIBUTED, chain_receipt=receipt)
    await ours.send(heartbeat={"head_block": 2**64 - 1})
    # Later updates of the same replicate wait behind it, up to a bound.
    behind = [await ours.report(short, R.REPLICATE_STATUS_REVEALING) for _ in range(100)]
    crowded = await ours.until(lambda: ours.result(behind[-1]))
    assert (crowded.outcome, crowded.reason) == (pb.UPDATE_OUTCOME_REFUSED, "GENERIC_CANT_UPDATE")
    assert ours.result(behind[0]) is None

    # Updates of another replicate and new blocks are processed.
    other = assigned.task()
    for step in TO_COMPUTING:
        async with asyncio.timeout(PATIENCE_S):
            assert (await ours.answer(other, step)).outcome == pb.UPDATE_OUTCOME_ACCEPTED
    assert ours.result(waiting) is None
    before = await status(assigned)
    async with asyncio.timeout(PATIENCE_S):
        while (now := await status(assigned)).cursor_block <= before.cursor_block:
            await asyncio.sleep(0.05)
    assert now.cursor_block <= now.latest_block < FAR_FUTURE

    refused = await ours.until(lambda: ours.result(waiting))
    assert (refused.outcome, refused.reason) == (pb.UPDATE_OUTCOME_REFUSED, "GENERIC_CANT_UPDATE")
    assert R.REPLICATE_STATUS_CONTRIBUTED not in await assigned.history(short)

    # The scheduler has sent one command to contribute again, as after a reorganisation.
    def orders() -> list[pb.Command]:
        return [command for command in ours.all("command") if command.task_id == short]

    await ours.until(lambda: len(orders()) > 1)
    once_more, command = orders()
    assert (once_more.action, command.action) == (pb.ACTION_CONTRIBUTE, pb.ACTION_ABORT)

    # An acknowledgement of another worker does not remove the ABORT command.
    assert (await assigned.pool.task(short)).status == T.TASK_STATUS_FAILED
    other_stream = await assigned.pool.connect(assigned.other)
    for sequence in (command.sequence, command.sequence + 1, 2**64 - 1):
        await other_stream.send(command_ack={"sequence": sequence})
    await other_stream.answer(UNKNOWN, R.REPLICATE_STATUS_STARTING)
    await other_stream.close()
    again = await assigned.pool.connect(assigned.ours)
    resent = await again.until(lambda: next((c for c in again.all("command") if c.task_id == short), None))
    assert (resent.sequence, resent.action) == (command.sequence, pb.ACTION_ABORT)
    await again.send(command_ack={"sequence": resent.sequence})
    await again.answer(UNKNOWN, R.REPLICATE_STATUS_STARTING)
    await again.close()
    last = await assigned.pool.connect(assigned.ours)
    await last.answer(UNKNOWN, R.REPLICATE_STATUS_STARTING)
    assert [c for c in last.all("command") if c.task_id == short] == []
    await last.close()


async def status(assigned: AssignedTasks) -> pool_service_pb2.GetPoolStatusResponse:
    found: pool_service_pb2.GetPoolStatusResponse = await assigned.pool.operators.GetPoolStatus(
        pool_service_pb2.GetPoolStatusRequest()
    )
    return found
