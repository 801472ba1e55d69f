"""The stream to the scheduler: a cut loses nothing, a repetition has no second effect."""

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from workerpool_poco.protocol.statuses import ContributionStatus
from workerpool_protocol.core.v1 import statuses_pb2
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from services.worker.tests.doubles.core_peer import refusing_as_unknown
from services.worker.tests.harness.fixtures import ContainersOf
from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.harness.worker_process import WorkerProcess

pytestmark = pytest.mark.e2e

LONG_APP = "/bin/sh -c 'echo started; sleep 600'"


async def test_hello_describes_the_host_and_heartbeats_follow(
    pool: Pool, connected: WorkerProcess, eventually: Eventually
) -> None:
    (hello,) = pool.core.hellos
    assert (hello.protocol_version, hello.model.name, hello.model.slots, list(hello.held)) == (
        1,
        "test-worker",
        2,
        [],
    )
    assert hello.model.memory_bytes > 0
    for _ in range(3):
        heartbeat = await pool.core.heartbeat(free_slots=2)
    assert heartbeat.head_block > 0


async def test_a_repeated_assignment_runs_once(
    pool: Pool, connected: WorkerProcess, containers_of: ContainersOf
) -> None:
    """Scenario 15: the worker's own record refuses a second run."""
    assignment = await pool.task()
    for _ in range(3):
        pool.core.assign(assignment)
    await pool.core.status(assignment.task.task_id, "CONTRIBUTED")
    assert pool.core.statuses(assignment.task.task_id).count("STARTING") == 1


@pytest.mark.parametrize("interruption", ["a cut stream", "kill -9"])
async def test_unanswered_updates_are_resent(pool: Pool, connected: WorkerProcess, interruption: str) -> None:
    pool.core.silent = True
    task_id = await pool.assigned()
    await pool.core.status(task_id, "CONTRIBUTED")
    first = list(pool.core.updates[task_id])
    if interruption == "kill -9":
        connected.kill()
    pool.core.seen.clear()
    pool.core.updates.clear()
    pool.core.silent = False
    if interruption == "kill -9":
        connected.start()
    else:
        pool.core.cut()
    await pool.core.status(task_id, "CONTRIBUTED")
    assert pool.core.updates[task_id] == first


async def test_work_continues_while_the_scheduler_is_absent(
    pool: Pool, connected: WorkerProcess, eventually: Eventually
) -> None:
    task_id = await pool.assigned()
    await pool.core.status(task_id, "STARTED")
    await pool.core.stop()

    async def contributed() -> bool:
        return (await pool.contribution(task_id)).status is ContributionStatus.CONTRIBUTED

    await eventually(contributed)
    await pool.core.start()
    await pool.core.status(task_id, "CONTRIBUTED")


async def test_a_repeated_command_is_acknowledged_and_applied_once(
    pool: Pool, connected: WorkerProcess, eventually: Eventually
) -> None:
    task_id = await pool.assigned()
    block = (await pool.core.status(task_id, "CONTRIBUTED")).details.chain_receipt.block_number
    for _ in range(2):
        pool.core.command(task_id, pb.ACTION_REVEAL, sequence=7, block=block)
    await pool.core.status(task_id, "REVEALED")
    connected.kill()
    connected.start()
    await eventually(lambda: len(pool.core.hellos) == 2)
    pool.core.command(task_id, pb.ACTION_REVEAL, sequence=7, block=block)
    await eventually(lambda: pool.core.acks.count(7) >= 3)
    assert pool.core.hellos[-1].held[0].last_command_sequence == 7
    assert pool.core.statuses(task_id).count("REVEALING") == 1


async def test_abort_stops_the_app_and_removes_everything(
    pool: Pool, connected: WorkerProcess, containers_of: ContainersOf, eventually: Eventually
) -> None:
    """Scenario 16: ABORTED follows the end of the container."""
    task_id = await pool.assigned(LONG_APP)
    await eventually(lambda: [c for c in containers_of(pool.worker.address) if c.status == "running"])
    cause = statuses_pb2.REPLICATE_STATUS_CAUSE_CONTRIBUTION_TIMEOUT
    sequence = pool.core.command(task_id, pb.ACTION_ABORT, cause=cause)
    aborted = await pool.core.status(task_id, "ABORTED")
    assert aborted.details.cause == cause
    assert sequence in pool.core.acks
    assert not containers_of(pool.worker.address)
    assert not (connected.folder / task_id).exists()


async def test_a_refused_update_aborts_the_replicate(
    pool: Pool, connected: WorkerProcess, containers_of: ContainersOf
) -> None:
    def refuse(update: pb.StatusUpdate, result: pb.UpdateResult) -> None:
        if update.status == statuses_pb2.REPLICATE_STATUS_COMPUTING:
            result.outcome = pb.UPDATE_OUTCOME_REFUSED
            result.next_action = pb.ACTION_ABORT
            result.reason = "BAD_WORKFLOW_TRANSITION"

    pool.core.answer = refuse
    assignment = await pool.task(LONG_APP)
    pool.core.assign(assignment)
    await pool.core.status(assignment.task.task_id, "ABORTED")
    assert not containers_of(pool.worker.address)


async def test_a_lost_task_that_is_assigned_again_restarts(
    pool: Pool, connected: WorkerProcess, containers_of: ContainersOf, eventually: Eventually
) -> None:
    assignment = await pool.task(LONG_APP)
    task_id = assignment.task.task_id
    refused = refusing_as_unknown(pool.core, task_id, "COMPUTING")
    pool.core.assign(assignment)
    await eventually(lambda: refused and not containers_of(pool.worker.address))
    await eventually(lambda: not (connected.folder / task_id).exists())
    assert "ABORTED" not in pool.core.statuses(task_id), "an unknown replicate is not reported"

    pool.core.answer = None
    pool.core.updates.clear()
    pool.core.assign(assignment)
    await pool.core.status(task_id, "COMPUTING")
    await eventually(lambda: [c for c in containers_of(pool.worker.address) if c.status == "running"])
    assert pool.core.statuses(task_id)[0] == "STARTING"


async def test_a_new_replicate_waits_until_the_dropped_one_is_removed(
    pool: Pool, connected: WorkerProcess, containers_of: ContainersOf, eventually: Eventually
) -> None:
    assignment = await pool.task(LONG_APP)
    task_id = assignment.task.task_id
    pool.core.assign(assignment)
    await eventually(lambda: [c for c in containers_of(pool.worker.address) if c.status == "running"])
    (first,) = containers_of(pool.worker.address)
    pool.core.dropped = [task_id]
    pool.core.cut()
    await eventually(lambda: pool.core.connected)
    pool.core.updates.clear()
    pool.core.assign(assignment)
    await pool.core.status(task_id, "COMPUTING")
    await eventually(lambda: [c for c in containers_of(pool.worker.address) if c.status == "running"])
    (second,) = containers_of(pool.worker.address)
    assert second.id != first.id
    assert pool.core.statuses(task_id).count("STARTING") == 1


async def test_an_ended_replicate_starts_again_only_if_the_scheduler_lost_it(
    pool: Pool, connected: WorkerProcess, containers_of: ContainersOf, eventually: Eventually
) -> None:
    assignment = await pool.task()
    task_id = assignment.task.task_id
    pool.core.assign(assignment)
    await pool.core.status(task_id, "CONTRIBUTED")
    refused = refusing_as_unknown(pool.core, task_id, "ABORTED")
    pool.core.silent = True
    pool.core.command(task_id, pb.ACTION_ABORT)
    await pool.core.status(task_id, "ABORTED")
    pool.core.assign(assignment)
    await eventually(lambda: connected.log.count("assignment.repeated") == 1)

    pool.core.silent = False
    refused.clear()
    pool.core.cut()
    await eventually(lambda: refused)
    await eventually(lambda: "update.refused" in connected.log)
    connected.kill()
    connected.start()
    await eventually(lambda: len(pool.core.hellos) == 3)
    await eventually(lambda: pool.core.connected)
    pool.core.answer = None
    pool.core.assign(assignment)
    await eventually(lambda: connected.log.count("assignment.accepted") == 2)


async def test_dropped_replicates_are_removed_without_a_report(
    pool: Pool, connected: WorkerProcess, containers_of: ContainersOf, eventually: Eventually
) -> None:
    task_id = await pool.assigned(LONG_APP)
    await eventually(lambda: containers_of(pool.worker.address))
    pool.core.dropped = [task_id]
    pool.core.cut()
    await eventually(
        lambda: not containers_of(pool.worker.address) and not (connected.folder / task_id).exists()
    )
    assert "ABORTED" not in pool.core.statuses(task_id)


async def test_commands_about_unknown_tasks_are_answered(pool: Pool, connected: WorkerProcess) -> None:
    task_id = "0x" + "ab" * 32
    pool.core.command(task_id, pb.ACTION_UPLOAD)
    await pool.core.status(task_id, "RESULT_UPLOAD_FAILED")
    pool.core.command(task_id, pb.ACTION_COMPLETE)
    await pool.core.status(task_id, "COMPLETED")


async def test_stop_keeps_the_app_running_and_the_next_start_reattaches(
    pool: Pool, connected: WorkerProcess, containers_of: ContainersOf, eventually: Eventually
) -> None:
    """Scenario 15: a container without a worker stays recorded."""
    task_id = await pool.assigned("/bin/sh -c 'sleep 10; echo -n x > /iexec_out/computed.json'")
    await eventually(lambda: [c for c in containers_of(pool.worker.address) if c.status == "running"])
    (before,) = containers_of(pool.worker.address)
    assert connected.stop() == 0
    assert "replicates.suspended" in connected.log
    (after,) = containers_of(pool.worker.address)
    assert (after.id, after.status) == (before.id, "running")
    connected.start()
    await pool.core.status(task_id, "COMPUTED")
    assert "app.reattached" in connected.log
    assert pool.core.statuses(task_id).count("COMPUTING") == 1


async def test_a_shutdown_with_a_delay_reconnects(
    pool: Pool, connected: WorkerProcess, eventually: Eventually
) -> None:
    pool.core.send(
        shutdown=pb.Shutdown(
            reason="SCHEDULER_STOPPING", message="later", retry_after=Duration(nanos=50_000_000)
        )
    )
    await eventually(lambda: len(pool.core.hellos) == 2)


async def test_a_shutdown_without_a_delay_ends_the_worker(pool: Pool, connected: WorkerProcess) -> None:
    pool.core.send(
        shutdown=pb.Shutdown(reason="REPLACED", message="another stream of this wallet was opened")
    )
    assert await connected.exit_code() == 1
    assert "REPLACED: another stream of this wallet was opened" in connected.log


async def reveal_and_upload(pool: Pool, task_id: str) -> None:
    """Command both after the contribution."""
    block = (await pool.core.status(task_id, "CONTRIBUTED")).details.chain_receipt.block_number
    pool.core.command(task_id, pb.ACTION_REVEAL, block=block)
    pool.core.command(task_id, pb.ACTION_UPLOAD)


async def test_an_upload_is_retried_until_it_succeeds(pool: Pool, connected: WorkerProcess) -> None:
    pool.results.failures = [
        (grpc.StatusCode.UNAVAILABLE, "down"),
        (grpc.StatusCode.UNAUTHENTICATED, "expired"),
    ]
    task_id = await pool.assigned()
    await reveal_and_upload(pool, task_id)
    first = await pool.core.status(task_id, "RESULT_UPLOADED")
    # The second upload finds the stored archive.
    pool.core.updates.clear()
    pool.core.command(task_id, pb.ACTION_UPLOAD)
    again = await pool.core.status(task_id, "RESULT_UPLOADED")
    assert first.details.result_link == again.details.result_link
    assert "retry.scheduled" in connected.log


async def test_a_refused_upload_names_the_reason(pool: Pool, connected: WorkerProcess) -> None:
    pool.results.failures = [(grpc.StatusCode.INVALID_ARGUMENT, "not what was contributed")]
    task_id = await pool.assigned()
    await reveal_and_upload(pool, task_id)
    failed = await pool.core.status(task_id, "RESULT_UPLOAD_FAILED")
    assert "not what was contributed" in failed.details.error_message


async def test_an_orphaned_contribution_is_sent_again(
    pool: Pool, connected: WorkerProcess, eventually: Eventually
) -> None:
    task_id = await pool.assigned()
    block = (await pool.core.status(task_id, "CONTRIBUTED")).details.chain_receipt.block_number
    pool.chain.chain.reorganise(block)
    assert (await pool.contribution(task_id)).status is ContributionStatus.UNSET

    pool.core.command(task_id, pb.ACTION_REVEAL, block=block)
    await pool.core.status(task_id, "REVEALING")
    pool.core.command(task_id, pb.ACTION_CONTRIBUTE)

    async def contributed() -> bool:
        return (await pool.contribution(task_id)).status is ContributionStatus.CONTRIBUTED

    await eventually(contributed)
    pool.core.command(task_id, pb.ACTION_REVEAL, block=block)
    await pool.core.status(task_id, "REVEALED")
    assert "REVEAL_FAILED" not in pool.core.statuses(task_id)
