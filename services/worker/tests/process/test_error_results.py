"""Failures of the requester's side: an error result that is held, then contributed, revealed and uploaded."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.results import error_digest, result_hash
from workerpool_poco.protocol.statuses import ContributionStatus, ReplicateStatus, ReplicateStatusCause
from workerpool_protocol.core.v1 import statuses_pb2
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from services.worker.tests.doubles.core_peer import cause_of
from services.worker.tests.harness.fixtures import ContainersOf
from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.harness.worker_process import WorkerProcess

pytestmark = pytest.mark.e2e

RESULT = (
    "echo x > /iexec_out/r; "
    'echo "{\\"deterministic-output-path\\": \\"/iexec_out/r\\"}" > /iexec_out/computed.json'
)


def shell(script: str) -> str:
    return f"/bin/sh -c '{script}'"


def archive(worker: WorkerProcess, task_id: str) -> dict[str, bytes]:
    """Return the files of the archive that the worker holds."""
    content = (Path(worker.folder) / task_id / "output/iexec_out.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as files:
        return {name: files.read(name) for name in files.namelist()}


CASES = [
    pytest.param(shell("echo said; exit 3"), {}, "APP_COMPUTE_FAILED", 3, "exit code 3", id="app-exit-3"),
    pytest.param(
        shell(f"{RESULT}; echo said; exit 3"),
        {},
        "APP_COMPUTE_FAILED",
        3,
        "exit code 3",
        marks=pytest.mark.full,
        id="app-exit-3-with-result",
    ),
    pytest.param(
        shell(f'trap "" TERM INT; {RESULT}; echo said; sleep 4000'),
        {"max_execution_s": 2},
        "APP_COMPUTE_TIMEOUT",
        137,
        "time limit of 2 s",
        id="app-time-limit",
    ),
    pytest.param(
        shell(f"echo said; {RESULT}; trap : TERM; x=$(yes | head -c 400000000); echo $x"),
        {},
        "APP_OUT_OF_MEMORY",
        137,
        "out of memory, limit 64 MiB",
        id="app-memory",
    ),
    pytest.param(
        "/no/such/program",
        {},
        "APP_CANNOT_START",
        -1,
        "no/such/program",
        marks=pytest.mark.full,
        id="no entry point",
    ),
    pytest.param(
        shell("echo said"),
        {},
        "POST_COMPUTE_COMPUTED_FILE_NOT_FOUND",
        0,
        "computed.json",
        marks=pytest.mark.full,
        id="computed-odd",
    ),
    pytest.param(
        shell('echo said; head -c 99000 /dev/zero | tr "\\0" [ > /iexec_out/computed.json'),
        {},
        "RESULT_RULE_BROKEN",
        0,
        "computed.json",
        marks=pytest.mark.full,
        id="computed-deep",
    ),
    pytest.param(
        shell("echo said; head -c 200000000 /dev/zero > /iexec_out/computed.json"),
        {},
        "RESULT_RULE_BROKEN",
        0,
        "computed.json",
        marks=pytest.mark.full,
        id="computed-huge",
    ),
    pytest.param(
        shell("echo said; touch /iexec_out/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; " + RESULT),
        {},
        "POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME",
        0,
        "31",
        marks=pytest.mark.full,
        id="archive-name-32",
    ),
]


@pytest.mark.parametrize(("command_line", "task", "expected", "exit_code", "sentence"), CASES)
async def test_a_failing_app_is_held_as_an_error_result(
    pool: Pool,
    worker: WorkerProcess,
    eventually: Eventually,
    containers_of: ContainersOf,
    command_line: str,
    task: dict[str, Any],
    expected: str,
    exit_code: int,
    sentence: str,
) -> None:
    """Scenarios 14 and 18: bad command and time limit are reported with the output, and contributed as an error."""
    worker.start(WORKERPOOL_WORKER_SLOT_MEMORY_MIB="64")
    await eventually(lambda: pool.core.connected)
    task_id = await pool.assigned(command_line, **task)
    computed = await pool.core.status(task_id, "COMPUTED")
    details = computed.details
    assert (cause_of(computed), details.exit_code) == (expected, exit_code)
    assert sentence in details.error_message
    held = archive(worker, task_id)
    assert "r" not in held
    assert json.loads(held["error.json"]) == {"status": "COMPUTED", "cause": expected, "exit-code": exit_code}
    report = held["error.txt"].decode()
    assert details.error_message in report
    assert f"cause: {expected}\nexit code: {exit_code}\n" in report
    if exit_code >= 0:
        assert details.stdout == "said\n"
        assert held["stdout.txt"] == b"said\n"
    assert (await pool.contribution(task_id)).status is ContributionStatus.UNSET
    await eventually(lambda: not containers_of(pool.worker.address))
    await pool.core.heartbeat(free_slots=2)
    pool.core.command(task_id, pb.ACTION_CONTRIBUTE)
    await pool.core.status(task_id, "CONTRIBUTED")
    digest = error_digest(ReplicateStatus.COMPUTED, ReplicateStatusCause(expected), exit_code, callback=False)
    assert (await pool.contribution(task_id)).result_hash == result_hash(task_id, digest)


async def test_an_error_result_survives_a_kill_of_the_worker_and_is_uploaded(
    pool: Pool, connected: WorkerProcess, eventually: Eventually
) -> None:
    task_id = await pool.assigned(shell("exit 3"))
    await pool.core.status(task_id, "COMPUTED")
    connected.kill()
    connected.start()
    await eventually(lambda: len(pool.core.hellos) == 2)
    (held,) = pool.core.hellos[-1].held
    assert held.result_available
    pool.core.command(task_id, pb.ACTION_CONTRIBUTE)
    contributed = await pool.core.status(task_id, "CONTRIBUTED")
    block = contributed.details.chain_receipt.block_number
    pool.core.command(task_id, pb.ACTION_REVEAL, block=block)
    await pool.core.status(task_id, "REVEALED")
    pool.core.command(task_id, pb.ACTION_UPLOAD)
    await pool.core.status(task_id, "RESULT_UPLOADED")
    digest = error_digest(
        ReplicateStatus.COMPUTED, ReplicateStatusCause.APP_COMPUTE_FAILED, 3, callback=False
    )
    assert pool.results.headers[task_id].result_digest == to_hex(digest)


async def test_an_unconfirmed_error_result_is_aborted(
    pool: Pool, connected: WorkerProcess, eventually: Eventually
) -> None:
    task_id = await pool.assigned(shell("exit 3"))
    await pool.core.status(task_id, "COMPUTED")
    pool.core.command(
        task_id, pb.ACTION_ABORT, cause=statuses_pb2.REPLICATE_STATUS_CAUSE_ERROR_RESULT_UNCONFIRMED
    )
    assert cause_of(await pool.core.status(task_id, "ABORTED")) == "ERROR_RESULT_UNCONFIRMED"
    assert not (connected.folder / task_id).exists()


@pytest.mark.parametrize(
    ("task", "expected", "sentence"),
    [
        pytest.param(
            {"image": "127.0.0.1:9/no/such:image"},
            "APP_IMAGE_DOWNLOAD_FAILED",
            "127.0.0.1:9/no/such:image",
            id="no image",
        ),
        pytest.param({"image": "no image name"}, "APP_IMAGE_NAME_INVALID", "no image name", id="image name"),
        pytest.param(
            {"result_encryption": True},
            "DEAL_PARAMS_INVALID",
            "iexec_result_encryption",
            id="encryption-standard",
        ),
        pytest.param(
            {"image": "127.0.0.1:9/no/such:image", "callback": "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27"},
            "APP_IMAGE_DOWNLOAD_FAILED",
            "no/such:image",
            id="callback-failure",
        ),
    ],
)
async def test_what_no_worker_can_run_is_held_as_an_error_result_at_once(
    pool: Pool,
    connected: WorkerProcess,
    eventually: Eventually,
    task: dict[str, Any],
    expected: str,
    sentence: str,
) -> None:
    """Scenarios 18 and 22: failed download, and encryption that a standard task cannot have."""
    task_id = await pool.assigned(pool.hello_app, **task)
    failed = await pool.core.status(task_id, "APP_DOWNLOAD_FAILED")
    assert cause_of(failed) == expected
    assert sentence in failed.details.error_message
    pool.core.command(task_id, pb.ACTION_CONTRIBUTE)
    await pool.core.status(task_id, "CONTRIBUTED")
    digest = error_digest(
        ReplicateStatus.APP_DOWNLOAD_FAILED,
        ReplicateStatusCause(expected),
        None,
        callback="callback" in task,
    )
    assert (await pool.contribution(task_id)).result_hash == result_hash(task_id, digest)
