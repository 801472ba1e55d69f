"""Stand-in base images and the pool's own images, made once for all tests of this folder."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.market.deployment import Flavour
from workerpool_devnet.options import DevnetOptions

from stack.pool_of_compose import build, remove_images
from stack.running import PLUGINS
from stack.stand_ins import left_out, stand_ins


@pytest.fixture(scope="session")
def images(request: pytest.FixtureRequest) -> Iterator[Mapping[str, str]]:
    """Check that this machine can run the test, and build; yield the base images by the variables of .env."""
    if os.geteuid() != 0:
        pytest.skip("only root can make base images from Debian packages")
    if not (PLUGINS / "cli-plugins/docker-compose").exists():
        pytest.fail("docker-compose is not built: run `make compose`")
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(f"LEFT OUT, as their images cannot be had here: {', '.join(left_out())}")
    folder = Path(tempfile.mkdtemp(prefix="stack-build-", dir="/tmp"))
    with stand_ins() as made:
        try:
            build(folder, made)
            yield made
        finally:
            remove_images()
            shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """A chain like Bellecour with a market, a workerpool and funded wallets; no service of the pool."""
    async with Devnet(DevnetOptions(workers=1, flavour=Flavour.NATIVE, services={"market"})) as running:
        yield running
