"""The runtime of apps is lost while the worker runs: it parks and hands the task on, and comes back by itself."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.worker.tests.doubles.core_peer import cause_of
from services.worker.tests.harness import private_engine as engines
from services.worker.tests.harness.app_image import ensure_image
from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.private_engine import PrivateEngine
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.harness.worker_process import WorkerProcess

pytestmark = [pytest.mark.e2e, pytest.mark.full]

RUNC = shutil.which("runc") or ""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A runtime that a test can take away."""
    if not RUNC:
        pytest.skip("NO RUNC in the path: no runtime was lost")
    made = tmp_path / "runtime"
    install(made)
    return made


@pytest.fixture
def engine(program: Path, tmp_path: Path) -> Iterator[PrivateEngine]:
    """An engine that has the runtime."""
    if reason := engines.why_not():
        pytest.skip(reason)
    seen = engines.namespace(tmp_path, {})
    with engines.private_engine(tmp_path / "engine", seen, runtimes={"mine": str(program)}) as running:
        yield running


def install(program: Path) -> None:
    program.write_text(f'#!/bin/sh\nexec {RUNC} "$@"\n')
    program.chmod(0o755)


async def test_a_lost_runtime_parks_the_worker_until_it_is_back(
    pool: Pool, worker: WorkerProcess, engine: PrivateEngine, program: Path, eventually: Eventually
) -> None:
    core = pool.core
    assert await asyncio.to_thread(ensure_image, engine.client) == pool.image
    worker.start(
        DOCKER_HOST=engine.url,
        IEXEC_WORKER_CONTAINER_RUNTIME="mine",
        WORKERPOOL_WORKER_APP_NETWORK="none",
    )
    await eventually(lambda: core.connected)
    await core.status(await pool.assigned(), "CONTRIBUTED")
    assert not any(core.refusals)

    program.unlink()
    failed = await core.status(task := await pool.assigned(), "COMPUTE_FAILED")
    assert cause_of(failed) == "HOST_FAILED"
    assert core.refusals[-1].startswith("runtime: ")
    assert "IEXEC_WORKER_CONTAINER_RUNTIME" in core.refusals[-1]
    await core.heartbeat(free_slots=0)
    assert "CONTRIBUTING" not in core.statuses(task)

    install(program)
    await eventually(lambda: core.refusals[-1] == "")
    await core.status(await pool.assigned(), "CONTRIBUTED")
