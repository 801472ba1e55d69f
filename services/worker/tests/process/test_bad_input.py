"""Bad input: at the start one sentence and exit code 1, in a task the protocol's cause."""

from typing import Any

import pytest
from workerpool_poco.protocol.ids import to_hex
from workerpool_worker.adapters.core.messages import authorization_of

from services.worker.tests.doubles.core_peer import cause_of
from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.harness.worker_process import WorkerProcess

pytestmark = pytest.mark.e2e


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
        ({"DOCKER_HOST": "tcp://127.0.0.1:1"}, "the Docker engine does not answer"),
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


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"tag": "0x" + "3".rjust(64, "0")}, "TEE_NOT_SUPPORTED"),
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
    assert cause_of(await pool.core.status(assignment.task.task_id, "START_FAILED")) == expected


async def test_an_authorization_of_a_stranger_is_refused(
    pool: Pool, worker: WorkerProcess, eventually: Eventually
) -> None:
    """Scenario 10: authorization missing."""
    assignment = await pool.task()
    digest = authorization_of(assignment.authorization).hash
    assignment.authorization.signature = to_hex(pool.requester.sign_message_hash(digest))
    worker.start()
    await eventually(lambda: pool.core.connected)
    pool.core.assign(assignment)
    failed = await pool.core.status(assignment.task.task_id, "START_FAILED")
    assert cause_of(failed) == "WORKERPOOL_AUTHORIZATION_NOT_FOUND"
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
    assert cause_of(await pool.core.status(task_id, "START_FAILED")) == "TASK_DESCRIPTION_INVALID"
    await pool.core.status(task_id, "ABORTED")
    await eventually(lambda: worker.log.count("assignment.rejected") == 2)
    assert pool.core.statuses(task_id) == ["STARTING", "START_FAILED", "ABORTED"]
