"""One worker for the whole matrix."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_worker.domain.containers.sandbox_choice import SANDBOX_LABEL

from services.worker.tests.harness import decoys as served
from services.worker.tests.harness.shared_worker import shared_worker
from services.worker.tests.process.escapes.ground import EscapeHost, targets_of
from services.worker.tests.process.escapes.image import Images, NoProgram, ensure_images
from services.worker.tests.process.escapes.matrix import scripts

_LIMITS = {
    # More than the disk: what an app has written, and a busy disk has not taken yet, counts as its memory.
    "WORKERPOOL_WORKER_SLOT_MEMORY_MIB": "512",
    "WORKERPOOL_WORKER_APP_DISK_BYTES": str(96 << 20),
}


@pytest.fixture(scope="module")
def images(docker_client: Any) -> Images:
    """The images with the scripts of the matrix."""
    try:
        return ensure_images(docker_client, scripts())
    except NoProgram as missing:
        pytest.skip(f"NO {str(missing).upper()}: the escape matrix did not run")


@pytest.fixture(scope="module")
def metadata() -> Iterator[tuple[str, ...]]:
    """Metadata addresses and private networks that answer this host; none where they cannot be served."""
    if served.why_not():
        yield ()
        return
    with served.decoys():
        yield tuple(f"{address}:{served.TCP_PORT}" for address in served.EVERY if address != served.GLOBAL)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(
    images: Images,
    metadata: tuple[str, ...],
    docker_client: Any,
    poco_chain: PocoChain,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[EscapeHost]:
    """Run one worker for the module. Stopped, it leaves no container on the host."""
    folder = tmp_path_factory.mktemp("escapes")
    async with shared_worker(poco_chain, images.root, folder, **_LIMITS) as shared:
        pool, worker = shared.pool, shared.worker
        with targets_of(pool, worker, folder, metadata) as targets:
            yield EscapeHost(docker_client, images, pool, worker, targets)
        assert await asyncio.to_thread(worker.stop) == 0
        sandboxes = {"label": f"{SANDBOX_LABEL}={pool.worker.address}"}
        assert docker_client.containers.list(all=True, filters=sandboxes, ignore_removed=True) == []


@pytest.fixture(autouse=True)
def log_of_a_failure(host: EscapeHost, request: pytest.FixtureRequest) -> Iterator[None]:
    """Show what the worker logged during a test that failed."""
    before = len(host.worker.log)
    yield
    if getattr(request.node, "failed", False):
        sys.stderr.write(host.worker.log[before:])
