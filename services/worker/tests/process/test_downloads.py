"""Downloads of a worker process: the requester's fault is reported at once, an abort ends a transfer at once."""

import asyncio

import pytest
from workerpool_protocol.core.v1 import statuses_pb2
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from services.worker.tests.doubles.file_server import Exchange, FileServer
from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.harness.worker_process import WorkerProcess

pytestmark = pytest.mark.e2e


async def test_requesters_faults_and_aborts(
    pool: Pool, connected: WorkerProcess, eventually: Eventually, files: FileServer
) -> None:
    """Cases data-url-forms, data-private and data-drip in one worker; each start of a worker costs seconds."""

    async def drip(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await exchange.send(
                bytes(65_536)
            )  # Fast enough: only the abort ends it before a limit of minutes.
            await asyncio.sleep(0.2)

    slow = files.serves("/drip", drip)
    for url in (
        "http://a b/x?key=secret",
        f"http://127.0.0.2:{files.port}/x",
        f"http://2130706434:{files.port}/x",
    ):
        refused = await pool.assigned(input_files=[url])
        failed = await pool.core.status(refused, "APP_DOWNLOAD_FAILED")
        assert failed.details.cause == statuses_pb2.REPLICATE_STATUS_CAUSE_INPUT_FILES_DOWNLOAD_FAILED
        assert "secret" not in failed.details.error_message
        pool.core.command(refused, pb.ACTION_ABORT)
        await pool.core.status(refused, "ABORTED")
    assert files.connections == 0
    held = await pool.assigned(input_files=[slow])
    await eventually(lambda: files.connections == 1)
    pool.core.command(held, pb.ACTION_ABORT)
    await pool.core.status(held, "ABORTED")
