"""Datasets and results of a worker process, up to the contribution on the real contracts."""

import hashlib
from typing import Any

import pytest
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import ZERO_ADDRESS, TaskId
from workerpool_poco.protocol.results import error_digest, result_hash
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from services.worker.tests.doubles.core_peer import cause_of
from services.worker.tests.doubles.file_server import FileServer
from services.worker.tests.harness.builders import WORKER
from services.worker.tests.harness.shared_worker import SharedWorker
from services.worker.tests.process.scenarios.conftest import GATEWAYS

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("log_of_a_failure"),
]

PATH = "/ipfs/QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPBdG"
CONTENT = b"a dataset"
CHECKSUM = "0x" + hashlib.sha256(CONTENT).hexdigest()
DATASET: dict[str, Any] = {"dataset_address": WORKER, "dataset_uri": PATH, "dataset_checksum": CHECKSUM}


def app(script: str, path: str = "r") -> str:
    """Return a command line that runs a script and names its output."""
    computed = (
        f'echo "{{\\"deterministic-output-path\\": \\"/iexec_out/{path}\\"}}" > /iexec_out/computed.json'
    )
    return f"/bin/sh -c '{script}; {computed}'"


COPY = app("cat /iexec_in/$IEXEC_DATASET_FILENAME > /iexec_out/r")


async def contributed(shared: SharedWorker, task_id: TaskId) -> bytes:
    """Return the hash of the contribution to a task, and end the task."""
    core = shared.pool.core
    await core.status(task_id, "CONTRIBUTED")
    found = (await shared.pool.contribution(task_id)).result_hash
    core.command(task_id, pb.ACTION_ABORT)
    await core.status(task_id, "ABORTED")
    return found


@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_a_dataset_comes_from_any_of_the_gateways(
    shared: SharedWorker, gateways: FileServer, gateway: str
) -> None:
    """Scenario 17: dataset from gateway 1, 2 or 3."""
    gateways.answers.clear()
    gateways.serves(f"{gateway}{PATH}", CONTENT)
    task_id = await shared.pool.assigned(COPY, **DATASET)
    digest = hashlib.sha256(CONTENT).digest()
    assert await contributed(shared, task_id) == result_hash(task_id, digest)


@pytest.mark.parametrize(
    ("served", "changes", "status", "cause"),
    [
        pytest.param(None, {}, "DATA_DOWNLOAD_FAILED", "DATASET_FILE_DOWNLOAD_FAILED", id="none has it"),
        pytest.param(
            b"other", {}, "DATA_DOWNLOAD_FAILED", "DATASET_FILE_BAD_CHECKSUM", id="all have something else"
        ),
        pytest.param(
            CONTENT,
            {"dataset_checksum": ""},
            "APP_DOWNLOAD_FAILED",
            "DATASET_FILE_BAD_CHECKSUM",
            id="no checksum",
        ),
        pytest.param(
            CONTENT, {"dataset_uri": ""}, "APP_DOWNLOAD_FAILED", "DATASET_FILE_DOWNLOAD_FAILED", id="no URI"
        ),
    ],
)
async def test_an_unavailable_dataset_is_contributed_as_an_error(
    shared: SharedWorker,
    gateways: FileServer,
    served: bytes | None,
    changes: dict[str, Any],
    status: str,
    cause: str,
) -> None:
    """Scenarios 17 and 18: the failure becomes an error result, which is contributed. Nothing is skipped silently."""
    gateways.answers.clear()
    if served is not None:
        for gateway in GATEWAYS:
            gateways.serves(f"{gateway}{PATH}", served)
    task_id = await shared.pool.assigned(COPY, **(DATASET | changes))
    assert cause_of(await shared.pool.core.status(task_id, status)) == cause
    shared.pool.core.command(task_id, pb.ACTION_CONTRIBUTE)
    digest = error_digest(ReplicateStatus(status), ReplicateStatusCause(cause), None, callback=False)
    assert await contributed(shared, task_id) == result_hash(task_id, digest)


async def test_a_deal_without_dataset_downloads_none(shared: SharedWorker, gateways: FileServer) -> None:
    """Scenario 17: an empty address names no dataset, whatever the other fields are."""
    asked = len(gateways.exchanges)
    task_id = await shared.pool.assigned(**(DATASET | {"dataset_address": ZERO_ADDRESS}))
    await contributed(shared, task_id)
    assert len(gateways.exchanges) == asked


NAME_31, NAME_32 = "a" * 31, "a" * 32
DIGESTS = {
    "a file with a name of 31 characters": (
        app(f"echo -n x > /iexec_out/{NAME_31}", NAME_31),
        "",
        hashlib.sha256(b"x").digest(),
    ),
    "a directory": (
        app("mkdir /iexec_out/o; echo -n 2 > /iexec_out/o/b; echo -n 1 > /iexec_out/o/a", "o"),
        "",
        keccak(hashlib.sha256(b"1").digest() + hashlib.sha256(b"2").digest()),
    ),
    "a callback": (
        """/bin/sh -c 'echo "{\\"callback-data\\": \\"0x1234\\"}" > /iexec_out/computed.json'""",
        WORKER,
        keccak(b"\x12\x34"),
    ),
}


@pytest.mark.parametrize(("command_line", "callback", "digest"), DIGESTS.values(), ids=DIGESTS)
async def test_the_digest_of_each_kind_of_result_is_contributed(
    shared: SharedWorker, command_line: str, callback: str, digest: bytes
) -> None:
    """Scenario 19: file, directory and callback."""
    task_id = await shared.pool.assigned(command_line, callback=callback)
    assert await contributed(shared, task_id) == result_hash(task_id, digest)


NO_DIGEST = "POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED"
NO_DIGESTS = {
    "a missing path": (app("true", "none"), "", NO_DIGEST),
    "an empty callback": (
        """/bin/sh -c 'echo "{\\"callback-data\\": \\"\\"}" > /iexec_out/computed.json'""",
        WORKER,
        NO_DIGEST,
    ),
    "a name of 32 characters": (
        app(f"echo -n x > /iexec_out/{NAME_32}", NAME_32),
        "",
        "POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME",
    ),
    "no computed.json": ("/bin/true", "", "POST_COMPUTE_COMPUTED_FILE_NOT_FOUND"),
}


@pytest.mark.parametrize(("command_line", "callback", "cause"), NO_DIGESTS.values(), ids=NO_DIGESTS)
async def test_an_output_without_a_digest_is_an_error_result(
    shared: SharedWorker, command_line: str, callback: str, cause: str
) -> None:
    """Scenario 19: each output without a digest has its cause, and is contributed as an error."""
    task_id = await shared.pool.assigned(command_line, callback=callback)
    assert cause_of(await shared.pool.core.status(task_id, "COMPUTED")) == cause
    shared.pool.core.command(task_id, pb.ACTION_CONTRIBUTE)
    expected = error_digest(ReplicateStatus.COMPUTED, ReplicateStatusCause(cause), 0, callback=bool(callback))
    assert await contributed(shared, task_id) == result_hash(task_id, expected)
