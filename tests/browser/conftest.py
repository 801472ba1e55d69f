"""A running pool with an operator, and a browser."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from contract.access_table import OPERATOR, OPERATOR_PASSWORD
from e2e.requester import Requester
from e2e.shell_image import ensure_shell_image
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions

from browser import chromium
from browser.chromium import Page


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """Run a pool with two workers and an operator's password. Skips loudly without a browser."""
    if missing := chromium.problem():
        pytest.skip(missing)
    operator = {"IEXEC_CORE_OPERATOR_USERNAME": OPERATOR, "IEXEC_CORE_OPERATOR_PASSWORD": OPERATOR_PASSWORD}
    async with Devnet(DevnetOptions(workers=2, environment={"core": operator})) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def requester(net: Devnet) -> Requester:
    """Return a requester whose app is a shell, so that the deal chooses its commands."""
    return Requester(net, await net.create_app("browser", ensure_shell_image()), ())


@pytest_asyncio.fixture(loop_scope="module")
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    """Open a browser with one tab, whose console stays without errors."""
    async with chromium.chromium(tmp_path / "browser") as page:
        yield page
        assert page.troubles == []


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """The folder of screenshots: that of the variable SCREENSHOTS, else one that is removed."""
    return Path(os.environ.get("SCREENSHOTS") or tmp_path)
