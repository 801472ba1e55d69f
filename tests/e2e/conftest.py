"""One running pool for each module of end-to-end tests, and its requester."""

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
    """Show what the pool's processes said last beside a failure: their folder goes with the pool."""
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
    """The demo's app, in this machine's Docker engine."""
    return ensure_image()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """A pool with three workers and instant mining whose services are restarted when they end."""
    async with Devnet(DevnetOptions(workers=3, trust=5, restart=True)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def requester(net: Devnet, image: str) -> AsyncIterator[Requester]:
    """A requester with the demo's app and documents."""
    with DocumentServer() as documents:
        yield Requester(net, await net.create_app("end-to-end", image), documents.urls)
