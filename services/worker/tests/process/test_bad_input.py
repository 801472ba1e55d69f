"""Bad input: at the start one sentence and exit code 1, in a task the protocol's cause."""

from typing import Any

import pytest
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.statuses import ContributionStatus
from workerpool_protocol.core.v1 import statuses_pb2
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_worker.adapters.core.messages import authorization_of

from services.worker.tests.harness.fixtures import ContainersOf
from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.harness.worker_process import WorkerProcess

pytestmark = pytest.mark.e2e


def cause(update: pb.StatusUpdate) -> str:
    name = statuses_pb2.ReplicateStatusCause.Name(update.details.cause)
    return name.removeprefix("REPLICATE_STATUS_CAUSE_")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"IEXEC_WORKER_WALLET_PASSWORD": "wrong"}, "the password does not open the wallet"),
        ({"IEXEC_WORKER_WALLET_PATH": "/nowhere/wallet.json"}, "cannot be read: /nowhere/wallet.json"),
        (
            {"POOL_ADDRESS": "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27"},
            "not POOL_ADDRESS 0x365E7BABAa85eC61Dffe5b520763062e6C29dA27",
        ),
        (
            {
                "IEXEC_WORKER_OVERRIDE_BLOCKCHAIN_NODE_ADDRESS": "http://127.0.0.1:9",
                "WORKERPOOL_WORKER_STARTUP_TIMEOUT": "1",
            },
            "the blockchain node cannot be reached",
        ),
        ({"DOCKER_HOST": "unix:///nowhere/docker.sock"}, "the Docker engine does not answer"),
        ({"IEXEC_WORKER_BASE_DIR": "/proc/nowhere"}, "check IEXEC_WORKER_BASE_DIR"),
    ],
)
async def test_a_start_up_failure_is_one_sentence_and_exit_code_1(
    pool: Pool, worker: WorkerProcess, changes: dict[str, str], sentence: str
) -> None:
    worker.start(**changes)
    assert await worker.exit_code() == 1
    spoken = [line for line in worker.log.splitlines() if line.startswith("workerpool-worker: ")]
    assert len(spoken) == 1
    assert sentence in spoken[0]


async def test_a_wrong_version_names_both_versions(pool: Pool, worker: WorkerProcess) -> None:
    pool.core.configuration.required_worker_version = "9.9.9"
    worker.start()
    assert await worker.exit_code() == 1
    assert "requires worker version 9.9.9, this is 0.1.0" in worker.log


async def test_a_second_worker_in_the_same_folder_is_refused(
    pool: Pool, worker: WorkerProcess, eventually: Eventually
) -> None:
    worker.start()
    await eventually(lambda: pool.core.connected)
    first = worker.process
    worker.start()
    assert await worker.exit_code() == 1
    assert "another worker uses the folder" in worker.log
    worker.process = first


async def test_invalid_settings_are_named_with_exit_code_2(pool: Pool, worker: WorkerProcess) -> None:
    worker.start(POOL_ADDRESS="0x0", IEXEC_WORKER_TYPO="1")
    assert await worker.exit_code() == 2
    assert "POOL_ADDRESS: must be the address of a workerpool, not zero" in worker.log
    assert "IEXEC_WORKER_TYPO: no such setting" in worker.log


async def test_a_scheduler_that_starts_later_is_awaited(
    pool: Pool, worker: WorkerProcess, eventually: Eventually
) -> None:
    await pool.core.stop()
    worker.start()
    await eventually(lambda: "retry.scheduled" in worker.log)
    await pool.core.start()
    await eventually(lambda: pool.core.connected)


async def test_a_missing_image_becomes_the_result(
    pool: Pool, worker: WorkerProcess, eventually: Eventually
) -> None:
    assignment = await pool.task("x", image="127.0.0.1:9/no/such:image")
    task_id = assignment.task.task_id
    worker.start()
    await eventually(lambda: pool.core.connected)
    pool.core.assign(assignment)
    failed = await pool.core.status(task_id, "APP_DOWNLOAD_FAILED")
    assert cause(failed) == "APP_IMAGE_DOWNLOAD_FAILED"
    assert "127.0.0.1:9/no/such:image" in failed.details.error_message
    await pool.core.status(task_id, "CONTRIBUTED")
    text = (worker.folder / task_id / "output/iexec_out/error.txt").read_text()
    assert text == (
        "[IEXEC] Errors occurred while computing the task "
        "[error:APP_DOWNLOAD_FAILED, causes:[APP_IMAGE_DOWNLOAD_FAILED]]"
    )


async def test_a_missing_input_file_becomes_the_result(
    pool: Pool, worker: WorkerProcess, eventually: Eventually
) -> None:
    assignment = await pool.task("x", input_files=["http://127.0.0.1:9/file?secret=1"])
    worker.start()
    await eventually(lambda: pool.core.connected)
    pool.core.assign(assignment)
    failed = await pool.core.status(assignment.task.task_id, "DATA_DOWNLOAD_FAILED")
    assert cause(failed) == "INPUT_FILES_DOWNLOAD_FAILED"
    assert "http://127.0.0.1:9/file " in failed.details.error_message
    assert "secret" not in failed.details.error_message
    await pool.core.status(assignment.task.task_id, "CONTRIBUTED")


@pytest.mark.parametrize(
    ("command_line", "exit_code", "message"),
    [
        ("/bin/true", 0, "POST_COMPUTE_COMPUTED_FILE_NOT_FOUND"),
        ("/bin/sh -c 'echo broken >&2; exit 3'", 3, "POST_COMPUTE_COMPUTED_FILE_NOT_FOUND"),
        ("/no/such/program", -1, "POST_COMPUTE_COMPUTED_FILE_NOT_FOUND"),
        (
            "/bin/sh -c 'touch /iexec_out/a-name-that-is-far-too-long-to-keep'",
            0,
            "POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME",
        ),
    ],
)
async def test_an_app_without_a_valid_result_is_not_contributed(
    pool: Pool,
    worker: WorkerProcess,
    eventually: Eventually,
    containers_of: ContainersOf,
    command_line: str,
    exit_code: int,
    message: str,
) -> None:
    def answer(update: pb.StatusUpdate, result: pb.UpdateResult) -> None:
        if update.status == statuses_pb2.REPLICATE_STATUS_CONTRIBUTE_FAILED:
            result.next_action = pb.ACTION_ABORT

    pool.core.answer = answer
    assignment = await pool.task(command_line)
    task_id = assignment.task.task_id
    worker.start()
    await eventually(lambda: pool.core.connected)
    pool.core.assign(assignment)
    computed = await pool.core.status(task_id, "COMPUTED")
    assert computed.details.exit_code == exit_code
    failed = await pool.core.status(task_id, "CONTRIBUTE_FAILED")
    assert cause(failed) == "DETERMINISM_HASH_NOT_FOUND"
    assert message in failed.details.error_message
    await pool.core.status(task_id, "ABORTED")
    assert (await pool.contribution(task_id)).status is ContributionStatus.UNSET
    assert not containers_of(pool.worker.address)
    assert not (worker.folder / task_id).exists()


async def test_an_app_past_its_time_limit_is_killed_and_its_output_reported(
    pool: Pool, worker: WorkerProcess, eventually: Eventually
) -> None:
    assignment = await pool.task("/bin/sh -c 'trap true TERM; echo before; sleep 60'", max_execution_s=1)
    worker.start()
    await eventually(lambda: pool.core.connected)
    pool.core.assign(assignment)
    computed = await pool.core.status(assignment.task.task_id, "COMPUTED", limit_s=15)
    assert computed.details.stdout == "before\n"
    assert computed.details.exit_code == 137
    assert "APP_COMPUTE_TIMEOUT" in computed.details.error_message


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"tag": "0x" + "3".rjust(64, "0")}, "TEE_NOT_SUPPORTED"),
        ({"result_encryption": True}, "TASK_DESCRIPTION_INVALID"),
        ({"worker_stake": 10**18}, "STAKE_TOO_LOW"),
    ],
)
async def test_an_unsupported_task_is_not_started(
    pool: Pool, worker: WorkerProcess, eventually: Eventually, fields: dict[str, Any], expected: str
) -> None:
    assignment = await pool.task(**fields)
    worker.start()
    await eventually(lambda: pool.core.connected)
    pool.core.assign(assignment)
    assert cause(await pool.core.status(assignment.task.task_id, "START_FAILED")) == expected


async def test_an_authorization_of_a_stranger_is_refused(
    pool: Pool, worker: WorkerProcess, eventually: Eventually
) -> None:
    assignment = await pool.task()
    digest = authorization_of(assignment.authorization).hash
    assignment.authorization.signature = to_hex(pool.requester.sign_message_hash(digest))
    worker.start()
    await eventually(lambda: pool.core.connected)
    pool.core.assign(assignment)
    failed = await pool.core.status(assignment.task.task_id, "START_FAILED")
    assert cause(failed) == "WORKERPOOL_AUTHORIZATION_NOT_FOUND"
    assert pool.requester.address in failed.details.error_message


async def test_an_unreadable_assignment_is_answered_once(
    pool: Pool, worker: WorkerProcess, eventually: Eventually
) -> None:
    assignment = await pool.task()
    task_id = assignment.task.task_id
    assignment.authorization.deal_id = "0x12"
    worker.start()
    await eventually(lambda: pool.core.connected)
    for _ in range(2):
        pool.core.assign(assignment)
    assert cause(await pool.core.status(task_id, "START_FAILED")) == "TASK_DESCRIPTION_INVALID"
    await pool.core.status(task_id, "ABORTED")
    await eventually(lambda: worker.log.count("assignment.rejected") == 2)
    assert pool.core.statuses(task_id) == ["STARTING", "START_FAILED", "ABORTED"]
