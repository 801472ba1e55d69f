"""The Docker engine ends, in order or killed, while apps run: every task completes, once, and nothing is left."""

import asyncio
import itertools
import random
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_poco.protocol.ids import TaskId

from e2e.crash_cycles import CrashCycles
from e2e.requester import Requester
from services.worker.tests.harness import private_engine as engines
from services.worker.tests.harness.app_image import NoBusybox, ensure_image
from services.worker.tests.harness.host_state import Used, left_of
from services.worker.tests.harness.private_engine import PrivateEngine

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

SEED = 29
APP = (
    "/bin/sh -c 'sleep 2; echo real > /iexec_out/r; "
    'echo "{\\"deterministic-output-path\\": \\"/iexec_out/r\\"}" > /iexec_out/computed.json\''
)
DEFAULT_NETWORKS = {"bridge", "host", "none"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateEngine]:
    """An engine that no other test uses."""
    if reason := engines.why_not():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("engine")
    with engines.private_engine(folder / "files", engines.namespace(folder, {})) as running:
        yield running


@pytest.fixture(scope="module")
def image(engine: PrivateEngine) -> str:
    try:
        return ensure_image(engine.client)
    except NoBusybox:
        pytest.skip("NO BUSYBOX: install the Debian package busybox-static")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net(engine: PrivateEngine) -> AsyncIterator[Devnet]:
    """Run a pool whose two workers share the engine."""
    environment = {"worker": {"DOCKER_HOST": engine.url, "WORKERPOOL_WORKER_APP_NETWORK": "none"}}
    options = DevnetOptions(workers=2, restart=True, long_chain=True, environment=environment)
    async with Devnet(options) as running:
        yield running


@pytest.mark.parametrize(
    "cycles",
    [
        pytest.param(2, marks=pytest.mark.full, id="2 cycles"),
        pytest.param(10, marks=pytest.mark.soak, id="10 cycles"),
    ],
)
async def test_every_task_completes_once_when_the_engine_ends_at_any_moment(
    net: Devnet,
    engine: PrivateEngine,
    image: str,
    cycles: int,
    record_property: Callable[[str, object], None],
) -> None:
    requester = Requester(net, await net.create_app("engine crashes", image), ())

    async def buy() -> list[TaskId]:
        return await requester.buy(APP, volume=6)

    ways = itertools.cycle((signal.SIGTERM, signal.SIGKILL))

    async def restart(_: random.Random) -> str:
        how = next(ways)
        await asyncio.to_thread(engine.end, how)
        await asyncio.to_thread(engine.start)
        return f"engine ended by {how.name}"

    def left(since: float) -> list[str]:
        api = engine.client.api
        wallets = [wallet.address for wallet in net.worker_wallets]
        networks = {each["Name"] for each in api.networks()} - DEFAULT_NETWORKS
        return [
            *left_of(engine.client, Used(), wallets, net.folder, engine.mounts),
            *(f"container {each['Names']}" for each in api.containers(all=True)),
            *(f"volume {each['Name']}" for each in api.volumes()["Volumes"] or ()),
            *(f"network {name}" for name in networks),
            *(f"mount {line}" for line in mounts_below(engine.folder / "data/overlay2", engine.mounts)),
        ]

    crashes = CrashCycles(net, requester, buy, restart, left, SEED)
    await crashes.run(cycles)
    record_property("figure", f"engine ended {cycles} times at {crashes.figure()}")


def mounts_below(folder: Path, mounts: Path) -> list[str]:
    """Return the mounted places below a folder, by a listing as that of /proc/mounts."""
    places = [line.split()[1] for line in mounts.read_text().splitlines()]
    return [place for place in places if Path(place).is_relative_to(folder)]
