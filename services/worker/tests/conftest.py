"""The worker as a process, on a local chain and a Docker engine, with stand-ins for the other services."""

import asyncio
import contextlib
import functools
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import docker
import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.ids import TaskId
from workerpool_protocol.registry.v1 import config_service_pb2, config_service_pb2_grpc
from workerpool_protocol.result_proxy.v1 import result_service_pb2_grpc
from workerpool_worker.adapters.docker.engine import TASK_LABEL, WORKER_LABEL, DockerEngine
from workerpool_worker.app.ports import ContainerPlan
from workerpool_worker.domain.host import SlotLimits

from services.worker.tests.doubles.core_peer import CorePeer
from services.worker.tests.doubles.service_peers import ConfigPeer, ResultPeer
from services.worker.tests.harness.app_image import NoBusybox, ensure_image
from services.worker.tests.harness.fixtures import ContainersOf, MakeEngine, MakePlan
from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.waiting import Eventually, wait_until
from services.worker.tests.harness.worker_process import WorkerProcess

PASSWORD = "only for tests"
MIB = 1 << 20


@pytest.fixture
def eventually() -> Eventually:
    """Wait for a condition with a deadline: `await eventually(lambda: …)`."""
    return wait_until


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

    def make(*command: str, limits: SlotLimits | None = None, image: str = app_image) -> ContainerPlan:
        return ContainerPlan(
            task_id=task_id,
            name=f"worker-{task_id}",
            image=image,
            command=command,
            environment={"IEXEC_OUT": "/iexec_out", "EMPTY": ""},
            binds={tmp_path / "in": ("/iexec_in", True), tmp_path / "out": ("/iexec_out", False)},
            limits=limits or SlotLimits(1.0, 64 * MIB, 64),
        )

    yield make
    await engine.remove(task_id)


# --- the chain and the pool ----------------------------------------------------------------------


@pytest.fixture
async def pool(fresh_poco_chain: Any, app_image: str) -> AsyncIterator[Pool]:
    """A workerpool, its owner's wallet, and the peers of a worker."""
    chain = fresh_poco_chain
    owner = chain.account("poolOwner")
    workerpool = await asyncio.to_thread(chain.market.create_workerpool, owner, f"worker tests {time.time()}")
    core, results = CorePeer(workerpool, chain.chain_id), ResultPeer()
    others = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    config = config_service_pb2.ChainConfig(
        chain_id=chain.chain_id, node_url=chain.url, hub_address=chain.hub, block_time=Duration(seconds=1)
    )
    config_service_pb2_grpc.add_ConfigServiceServicer_to_server(ConfigPeer(config), others)
    result_service_pb2_grpc.add_ResultServiceServicer_to_server(results, others)
    port = others.add_insecure_port("127.0.0.1:0")
    core.configuration.config_server_url = core.configuration.result_proxy_url = (
        f"http://127.0.0.1:{port - GRPC_PORT_OFFSET}"
    )
    await others.start()
    await core.start()
    async with HubClient(chain.url, chain.hub) as hub:
        yield Pool(chain, hub, core, results, app_image)
    await core.stop()
    await others.stop(None)


# --- the worker ----------------------------------------------------------------------------------


@pytest.fixture
def worker(
    pool: Pool, docker_client: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[WorkerProcess]:
    """A worker of the pool, not started yet. Its containers are removed after the test."""
    keystore = tmp_path / "wallet.json"
    pool.worker.write_keystore(keystore, PASSWORD, light=True)
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("IEXEC_", "WORKERPOOL_"))
    }
    process = WorkerProcess(
        inherited
        | {
            "IEXEC_WORKER_PORT": "0",
            "IEXEC_CORE_URL": pool.core.url,
            "POOL_ADDRESS": pool.core.configuration.workerpool,
            "IEXEC_WORKER_NAME": "test-worker",
            "IEXEC_WORKER_BASE_DIR": str(tmp_path / "base"),
            "IEXEC_WORKER_OVERRIDE_AVAILABLE_CPU_COUNT": "2",
            "IEXEC_WORKER_WALLET_PATH": str(keystore),
            "IEXEC_WORKER_WALLET_PASSWORD": PASSWORD,
            "WORKERPOOL_WORKER_STARTUP_TIMEOUT": "3",
        },
        tmp_path / "worker.log",
    )
    yield process
    if process.process is not None and process.process.poll() is None:
        process.kill()
    for container in _containers(docker_client, pool.worker.address):
        # The engine may be removing it for the killed worker.
        with contextlib.suppress(docker.errors.APIError):
            container.remove(force=True)
    if getattr(request.node, "failed", False):
        sys.stderr.write(process.log)


@pytest.fixture
async def connected(pool: Pool, worker: WorkerProcess, eventually: Eventually) -> WorkerProcess:
    """A worker that is connected to the test's scheduler."""
    worker.start()
    await eventually(lambda: pool.core.connected)
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
