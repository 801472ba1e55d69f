"""A worker with a GPU by its settings, on an engine that has none to hand over."""

import shutil

import pytest
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.tags import make_tag

from services.worker.tests.doubles.core_peer import cause_of
from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.harness.worker_process import WorkerProcess

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(bool(shutil.which("nvidia-smi")), reason="A GPU: the engine's refusal was not seen"),
]


async def test_without_a_driver_a_gpu_task_is_handed_over_and_the_worker_parks(
    pool: Pool, worker: WorkerProcess, eventually: Eventually
) -> None:
    worker.start(IEXEC_WORKER_GPU_ENABLED="true", WORKERPOOL_WORKER_GPU_IDS="GPU-a,GPU-b")
    await eventually(lambda: pool.core.connected)
    model = pool.core.hellos[-1].model
    assert (model.gpus, model.slots) == (2, 1)
    task_id = await pool.assigned(tag=to_hex(make_tag(gpu=True)))
    failed = await pool.core.status(task_id, "COMPUTE_FAILED")
    assert cause_of(failed) == "HOST_FAILED"
    assert "could not select device driver" in failed.details.error_message
    assert "could not select device driver" in pool.core.refusals[-1]
    await pool.core.heartbeat(free_slots=0)
