"""One running pool for each module of end-to-end tests, and what a requester does with it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
import pytest_asyncio
from workerpool_devnet.contracts import CATEGORIES
from workerpool_devnet.demo.documents import DocumentServer
from workerpool_devnet.demo.follow import ChainRecord, Progress, follow, read_chain
from workerpool_devnet.demo.image import ensure_image
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_poco.deal_params import DealParams
from workerpool_poco.hub import HubClient
from workerpool_poco.ids import to_hex

TIMEOUT_SECONDS = 120.0
LOG_LINES_SHOWN = 40
PRICE = 10**9
"""What the pool gets for each task, in nRLC."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
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


@dataclass
class Requester:
    """Buys tasks on a pool and waits for what becomes of them."""

    net: Devnet
    app: str
    documents: tuple[str, ...]

    async def buy(
        self, arguments: str = "all", *, volume: int = 1, trust: int = 1, category: str = "XS"
    ) -> list[str]:
        """Buy `volume` tasks of the demo's app at a price; return the task ids."""
        deal = await self.net.buy(
            self.app,
            params=DealParams(args=arguments, input_files=self.documents),
            volume=volume,
            trust=trust,
            category=list(CATEGORIES).index(category),
            workerpool_price=PRICE,
        )
        return [to_hex(task_id) for task_id in deal.task_ids]

    async def follow(
        self, tasks: list[str], on_change: Callable[[Progress], None] = lambda _: None
    ) -> Progress:
        """Wait until the scheduler says that every task has ended, telling each change."""
        progress = Progress()
        progress.on_change = lambda: on_change(progress)
        await follow(self.net.services["core"].grpc, tasks, progress, timeout=TIMEOUT_SECONDS)
        return progress

    async def on_chain(self, task: str) -> ChainRecord:
        """Read what the chain says of a task."""
        async with HubClient(self.net.chain.url, self.net.contracts.hub) as hub:
            return await read_chain(hub, task, 0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def requester(net: Devnet, image: str) -> AsyncIterator[Requester]:
    """A requester with the demo's app and documents."""
    with DocumentServer() as documents:
        yield Requester(net, await net.create_app("end-to-end", image), documents.urls)
