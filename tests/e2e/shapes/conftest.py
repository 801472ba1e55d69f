"""A pool on each shape of chain; its node is a proxy that a test makes bad."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sequencer.pool import ShapedPool, shaped_pool
from workerpool_devnet.devnet import Devnet

SHAPES = [
    pytest.param("sequencer"),
    pytest.param("mempool", marks=pytest.mark.full),
    pytest.param("free", marks=pytest.mark.full),
]
"""`make test` runs the shape that differs most; `make test-full` runs the others."""


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=SHAPES)
async def shaped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ShapedPool]:
    """Run a pool with three workers on a shape of chain; services that end are restarted."""
    log = tmp_path_factory.mktemp("node") / "proxy.log"
    async with shaped_pool(str(request.param), proxy_log=log, workers=3, trust=5, restart=True) as pool:
        yield pool


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net(shaped: ShapedPool) -> Devnet:
    """Return the pool of the shape."""
    return shaped.net
