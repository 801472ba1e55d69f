"""The worker as a process, on a local chain and a Docker engine, with stand-ins for the other services."""

import functools
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.protocol.ids import TaskId
from workerpool_worker.adapters.docker.container_config import TASK_LABEL, WORKER_LABEL
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.app.ports import ContainerPlan
from workerpool_worker.domain.host import SlotLimits

from services.worker.tests.doubles.file_server import FileServer
from services.worker.tests.harness.app_image import NoBusybox, ensure_image
from services.worker.tests.harness.fixtures import ContainersOf, MakeEngine, MakePlan
from services.worker.tests.harness.pool import Pool, running_pool
from services.worker.tests.harness.waiting import Eventually, wait_until
from services.worker.tests.harness.worker_process import WorkerProcess, worker_of

MIB = 1 << 20


@pytest.fixture
def eventually() -> Eventually:
    """Wait for a condition with a deadline: `await eventually(lambda: …)`."""
    return wait_until


@pytest.fixture
async def files() -> AsyncIterator[FileServer]:
    """A file server at 127.0.0.1, which the workers of the tests may reach."""
    server = FileServer()
    await server.start()
    yield server
    await server.stop()


# --- Docker --------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def docker_client() -> Iterator[Any]:
    try:
        client = docker.from_env()
        client.ping()
    except docker.errors.DockerException as problem:
        pytest.skip(f"NO DOCKER ENGINE: the container tests did not run ({problem})")
    yield client
    client.close()


@pytest.fixture(scope="session")
def app_image(docker_client: Any) -> str:
    """The name of an image with a shell."""
    try:
        return ensure_image(docker_client)
    except NoBusybox:
        pytest.skip("NO BUSYBOX: install the Debian package busybox-static; the container tests did not run")


@pytest.fixture
def engine_of(app_image: str) -> Iterator[MakeEngine]:
    """Make the engines of several workers."""
    made: list[DockerEngine] = []

    def make(worker: str) -> DockerEngine:
        made.append(DockerEngine(worker))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


@pytest.fixture
def wallet() -> str:
    """A wallet without containers."""
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
def engine(engine_of: MakeEngine, wallet: str) -> DockerEngine:
    return engine_of(wallet)


@pytest.fixture
async def plan(engine: DockerEngine, app_image: str, tmp_path: Path) -> AsyncIterator[MakePlan]:
    """Make plans of one task, whose containers are removed after the test."""
    task_id = TaskId(f"task-{uuid.uuid4().hex}")
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o777)

    def make(
        *command: str, limits: SlotLimits | None = None, image: str = app_image, gpus: int = 0
    ) -> ContainerPlan:
        return ContainerPlan(
            task_id=task_id,
            name=f"worker-{task_id}",
            image=image,
            command=command,
            environment={"IEXEC_OUT": "/iexec_out", "EMPTY": ""},
            binds={tmp_path / "in": ("/iexec_in", True), tmp_path / "out": ("/iexec_out", False)},
            limits=limits or SlotLimits(1.0, 64 * MIB, 64),
            gpus=gpus,
        )

    yield make
    await engine.remove(task_id)


# --- the chain and the pool ----------------------------------------------------------------------


@pytest.fixture
async def pool(fresh_poco_chain: PocoChain, app_image: str) -> AsyncIterator[Pool]:
    """A workerpool, its owner's wallet, and the peers of a worker."""
    async with running_pool(fresh_poco_chain, app_image) as running:
        yield running


# --- the worker ----------------------------------------------------------------------------------


@pytest.fixture
def worker(
    pool: Pool, docker_client: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[WorkerProcess]:
    """A worker of the pool, not started yet. Its containers are removed after the test."""
    with worker_of(pool, tmp_path) as process:
        yield process
    if getattr(request.node, "failed", False):
        sys.stderr.write(process.log)


@pytest.fixture
async def connected(pool: Pool, worker: WorkerProcess, eventually: Eventually) -> WorkerProcess:
    """A worker that is connected to the test's scheduler."""
    began = time.monotonic()
    worker.start()
    await eventually(lambda: pool.core.connected)
    worker.start_s = time.monotonic() - began
    return worker


def _containers(client: Any, wallet: str, task_id: str | None = None) -> list[Any]:
    labels = [f"{WORKER_LABEL}={wallet}"] + ([f"{TASK_LABEL}={task_id}"] if task_id else [])
    # An engine lists a container shortly before it can be inspected.
    found: list[Any] = client.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
    return found


@pytest.fixture
def containers_of(docker_client: Any) -> ContainersOf:
    """Return the worker's containers, of all tasks or of one."""
    return functools.partial(_containers, docker_client)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: object) -> Iterator[None]:
    """Mark a failed test, so that the fixture shows the worker's log."""
    outcome: Any = yield
    if outcome.get_result().failed:
        item.failed = True  # type: ignore[attr-defined]
