"""A host whose clock is wrong: its worker computes and contributes as any other. The machine's clock is not set."""

import os

import pytest

from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.harness.worker_process import WorkerProcess

pytestmark = pytest.mark.e2e

LIBRARIES = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
]


@pytest.mark.parametrize("offset", ["+40d", "-40d"])
async def test_a_wrong_clock_fails_no_task(
    pool: Pool, worker: WorkerProcess, eventually: Eventually, offset: str
) -> None:
    library = next(filter(os.path.exists, LIBRARIES), None)
    if library is None:
        pytest.skip("NO FAKETIME: install the Debian package faketime; the clock test did not run")
    worker.start(LD_PRELOAD=library, FAKETIME=offset, FAKETIME_DONT_FAKE_MONOTONIC="1")
    await eventually(lambda: pool.core.connected)
    task_id = await pool.assigned(pool.hello_app)
    await pool.core.status(task_id, "CONTRIBUTED")
