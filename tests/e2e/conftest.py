"""Fixtures of the end-to-end tests: one running pool for each module, and its requester."""

from collections.abc import AsyncIterator, Generator

import pytest
import pytest_asyncio
from workerpool_devnet.demo.documents import DocumentServer
from workerpool_devnet.demo.image import ensure_image
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions

from e2e.requester import Requester

LOG_LINES_SHOWN = 40


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the ends of the process logs to a failure: the pool removes its log folder."""
    report = yield
    net = getattr(item, "funcargs", {}).get("net")
    if report.failed and isinstance(net, Devnet):
        for path in sorted(net.logs.glob("*.log")):
            if path.name not in ("chain.log", "mongod.log"):
                lines = path.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
                report.sections.append((f"end of {path.name}", "\n".join(line[:400] for line in lines)))
    return report


@pytest.fixture(scope="session")
def image() -> str:
    """Build the app of the demo in the local Docker engine."""
    return ensure_image()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """Run a pool with three workers and instant mining that restarts services that end."""
    async with Devnet(DevnetOptions(workers=3, trust=5, restart=True)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def requester(net: Devnet, image: str) -> AsyncIterator[Requester]:
    """Return a requester with the app and documents of the demo."""
    with DocumentServer() as documents:
        yield Requester(net, await net.create_app("end-to-end", image), documents.urls)
