"""Live output on the worker's stream: prompt, bounded, without delaying apps or statuses."""

import os
import subprocess
import time
from collections.abc import Callable

import pytest
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.statuses_pb2 import REPLICATE_STATUS_CAUSE_APP_COMPUTE_TIMEOUT
from workerpool_worker.app.live_output import FLUSH_PERIOD_S
from workerpool_worker.domain.output_tail import MAX_TEXT_CHARACTERS, OMISSION_MARK

from services.worker.tests.harness.fixtures import ContainersOf
from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.harness.worker_process import WorkerProcess

pytestmark = pytest.mark.e2e

# The engine keeps 20 MB of both streams together, which a flood exceeds within a second.
FLOOD = "/bin/sh -c 'echo begun >&2; sleep 2; yes 0123456789012345678901234567890123456789'"


def memory_kib(process: subprocess.Popen[bytes]) -> int:
    """Return the peak memory of a process."""
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


async def test_both_streams_arrive_before_the_app_ends_and_its_report_is_complete(
    pool: Pool, connected: WorkerProcess, eventually: Eventually
) -> None:
    # The app waits at its second line until the test has seen the first: its output folder is on this machine.
    script = "echo one; echo oops >&2; while [ ! -e $IEXEC_OUT/go ]; do sleep 0.1; done; echo two; sleep 1"
    task_id = await pool.assigned(f"/bin/sh -c '{script}'")
    await eventually(
        lambda: (
            pool.core.output(task_id) == "one\n"
            and pool.core.output(task_id, pb.LOG_STREAM_STDERR) == "oops\n"
        )
    )
    assert pool.core.statuses(task_id)[-1] == "COMPUTING"
    (connected.folder / task_id / "output/iexec_out/go").touch()
    details = (await pool.core.status(task_id, "COMPUTED")).details
    assert (details.stdout, details.stderr) == ("one\ntwo\n", "oops\n")


async def test_a_flood_is_bounded_and_the_worker_keeps_serving(
    pool: Pool,
    connected: WorkerProcess,
    eventually: Eventually,
    record_property: Callable[[str, object], None],
) -> None:
    before_kib = memory_kib(connected.running)
    task_id = await pool.assigned(FLOOD, max_execution_s=8)
    await eventually(lambda: pool.core.output(task_id))
    began, beats = time.monotonic(), len(pool.core.heartbeats)
    await eventually(lambda: len(pool.core.heartbeats) > beats + 5)
    served = await pool.assigned()
    await pool.core.status(served, "CONTRIBUTED")
    details = (await pool.core.status(task_id, "COMPUTED")).details
    took_s = time.monotonic() - began

    assert details.cause == REPLICATE_STATUS_CAUSE_APP_COMPUTE_TIMEOUT
    assert "time limit of 8 s" in details.error_message
    assert len(details.stdout) == 100_000
    chunks = [chunk for chunk in pool.core.chunks if chunk.task_id == task_id]
    assert len(chunks) <= 2 * ((took_s + 1) / FLUSH_PERIOD_S + 2)
    assert max(len(chunk.text) for chunk in chunks) <= 2 * MAX_TEXT_CHARACTERS
    assert OMISSION_MARK in pool.core.output(task_id)
    assert pool.core.output(task_id, pb.LOG_STREAM_STDERR) == "begun\n"
    grown_kib = memory_kib(connected.running) - before_kib
    assert grown_kib < 64 * 1024
    record_property(
        "figure",
        f"live logs of a flooding app: {len(chunks)} messages, {sum(len(c.text) for c in chunks)} characters"
        f" in {took_s:.1f} s; the worker grew by {grown_kib / 1024:.1f} MiB",
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT ROOT: only root reads the engine's logs and pauses apps")
async def test_a_flood_is_paused_and_aborted_at_once(
    pool: Pool, connected: WorkerProcess, containers_of: ContainersOf, eventually: Eventually
) -> None:
    task_id = await pool.assigned("/bin/sh -c 'yes flood'")
    await eventually(lambda: "app.output_throttled" in connected.log)
    pool.core.command(task_id, pb.ACTION_ABORT)
    await pool.core.status(task_id, "ABORTED")
    await eventually(lambda: not containers_of(pool.worker.address))


async def test_an_aborted_app_sends_no_more_output(
    pool: Pool, connected: WorkerProcess, containers_of: ContainersOf, eventually: Eventually
) -> None:
    task_id = await pool.assigned("/bin/sh -c 'while true; do echo on; sleep 0.1; done'")
    await eventually(lambda: pool.core.output(task_id))
    pool.core.command(task_id, pb.ACTION_ABORT)
    await pool.core.status(task_id, "ABORTED")
    told = len(pool.core.chunks)
    beats = len(pool.core.heartbeats)
    await eventually(lambda: len(pool.core.heartbeats) > beats + 5)
    assert len(pool.core.chunks) == told
    assert not containers_of(pool.worker.address)


async def test_a_killed_container_ends_its_live_log_and_is_reported(
    pool: Pool, connected: WorkerProcess, containers_of: ContainersOf, eventually: Eventually
) -> None:
    task_id = await pool.assigned("/bin/sh -c 'echo said; sleep 600'")
    await eventually(lambda: pool.core.output(task_id) == "said\n")
    (container,) = containers_of(pool.worker.address)
    container.kill()
    details = (await pool.core.status(task_id, "COMPUTED")).details
    assert (details.exit_code, details.stdout) == (137, "said\n")
    assert "output.follow_failed" not in connected.log


async def test_an_absent_scheduler_delays_no_app(
    pool: Pool, connected: WorkerProcess, containers_of: ContainersOf, eventually: Eventually
) -> None:
    script = "i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo $i; sleep 0.2; done; echo -n x > /iexec_out/r"
    task_id = await pool.assigned(f"/bin/sh -c '{script}'")
    await eventually(lambda: pool.core.output(task_id))
    await pool.core.stop()
    await eventually(lambda: not containers_of(pool.worker.address, task_id))
    told = len(pool.core.chunks)
    await pool.core.start()
    details = (await pool.core.status(task_id, "COMPUTED")).details
    assert details.stdout == "".join(f"{number}\n" for number in range(1, 21))
    assert len(pool.core.chunks) == told, "the report is complete"


async def test_output_of_an_outage_is_sent_after_the_reconnect(
    pool: Pool, connected: WorkerProcess, eventually: Eventually
) -> None:
    task_id = await pool.assigned("/bin/sh -c 'echo first; sleep 3; echo second; sleep 600'")
    await eventually(lambda: pool.core.output(task_id) == "first\n")
    pool.core.cut()
    await eventually(lambda: pool.core.output(task_id) == "first\nsecond\n")


async def test_a_restarted_worker_follows_the_app_it_reattaches_to(
    pool: Pool, connected: WorkerProcess, eventually: Eventually
) -> None:
    task_id = await pool.assigned("/bin/sh -c 'i=0; while true; do i=$((i+1)); echo $i; sleep 0.5; done'")
    await eventually(lambda: pool.core.output(task_id))
    connected.kill()
    # What the killed worker had sent is counted before.
    await eventually(lambda: not pool.core.connected)
    told = len(pool.core.output(task_id))
    connected.start()
    more = await eventually(lambda: pool.core.output(task_id)[told:])
    assert more.startswith(OMISSION_MARK), "output of the time without a worker comes with the report only"
    assert "app.reattached" in connected.log


async def test_output_of_a_foreign_replicate_ends_the_stream_and_not_the_worker(
    pool: Pool, connected: WorkerProcess, containers_of: ContainersOf, eventually: Eventually
) -> None:
    pool.core.foreign = True
    task_id = await pool.assigned("/bin/sh -c 'while true; do echo on; sleep 0.1; done'")
    pool.core.dropped = [task_id]
    await eventually(lambda: len(pool.core.hellos) >= 2)
    await eventually(lambda: not containers_of(pool.worker.address))
    pool.core.foreign = False
    await eventually(lambda: pool.core.connected)
    assert "FOREIGN_REPLICATE" in connected.log
