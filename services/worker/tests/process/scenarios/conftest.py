"""One worker for all tests of a module, and a file server that plays three IPFS gateways."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from workerpool_devnet.pytest_plugin import PocoChain

from services.worker.tests.doubles.file_server import FileServer
from services.worker.tests.harness.shared_worker import SharedWorker, shared_worker

GATEWAYS = ("/first", "/second", "/third")
"""Paths of the gateways on the file server."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateways() -> AsyncIterator[FileServer]:
    server = FileServer()
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(
    gateways: FileServer, poco_chain: PocoChain, app_image: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SharedWorker]:
    folder: Path = tmp_path_factory.mktemp("scenarios")
    urls = ",".join(f"{gateways.url}{path}" for path in GATEWAYS)
    async with shared_worker(poco_chain, app_image, folder, WORKERPOOL_IPFS_GATEWAYS=urls) as running:
        yield running


@pytest.fixture
def log_of_a_failure(shared: SharedWorker, request: pytest.FixtureRequest) -> Iterator[None]:
    """Show what the worker logged during a test that failed."""
    before = len(shared.worker.log)
    yield
    if getattr(request.node, "failed", False):
        sys.stderr.write(shared.worker.log[before:])
