"""The newest release and this version in one pool: they work together, and an upgrade under load loses nothing.

The release really runs: its sources from the history of git, its packages, the database and the journals that it wrote.
The tests follow an operator who upgrades the pool, so their order matters.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.request import urlopen

import pytest
import pytest_asyncio
from patience import PATIENCE_S
from reproduce import ReproduceError
from workerpool_devnet.demo.follow import Progress
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.services.readiness import wait_registered
from workerpool_poco.protocol.ids import TaskId
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatus

from e2e.released import NOW, STOP_LIMIT_S, Version, install, newest_release
from e2e.requester import Requester
from e2e.shell_image import ensure_shell_image

pytestmark = [pytest.mark.e2e, pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]

SERVICES = ("registry", "chain_adapter", "result_proxy", "core")
RELEASED_WORKER, NEW_WORKER = "worker-1", "worker-2"
SLOTS = 2
APP = (
    "sh -c 'sleep 1; echo done >/iexec_out/done.txt; "
    'echo "{\\"deterministic-output-path\\": \\"/iexec_out/done.txt\\"}" >/iexec_out/computed.json\''
)
BAG = 8
"""Tasks of a deal: twice as many as there are slots, so that some wait while processes change."""
ONCE = "1 initialize, 1 contribute, 1 reveal, 1 finalize"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Version:
    try:
        return install(newest_release(), tmp_path_factory.mktemp("release"))
    except ReproduceError as missing:
        pytest.skip(f"NO RELEASE: the versions were not compared: {missing}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net(release: Version) -> AsyncIterator[Devnet]:
    """Run the services and a worker of the release; the worker of this version is not started yet."""
    async with Devnet(DevnetOptions(workers=2, cpus_per_worker=SLOTS, services=())) as running:
        for name in (*SERVICES, RELEASED_WORKER):
            release.take(running.services[name])
            running.services[name].start()
        await connected(running, RELEASED_WORKER)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def requester(net: Devnet) -> Requester:
    return Requester(net, await net.create_app("shell", ensure_shell_image()), ())


async def connected(net: Devnet, *workers: str) -> None:
    """Wait until core has a stream of these workers."""
    for name in (*SERVICES, *workers):
        await net.services[name].wait_healthy(timeout=PATIENCE_S)
    processes = [net.services[name].process for name in ("core", *workers)]
    wallets = {net.account(name).address for name in workers}
    await wait_registered(net.services["core"].grpc, processes, wallets, timeout=PATIENCE_S)


async def upgraded(net: Devnet, *services: str) -> None:
    """Stop services as an operator does, one after the other, and start this version of each."""
    for name in services:
        service = net.services[name]
        await asyncio.to_thread(service.process.stop, STOP_LIMIT_S)
        NOW.take(service)
        service.start()
        await service.wait_healthy(timeout=PATIENCE_S)


async def computed(requester: Requester, progress: Progress, tasks: list[TaskId]) -> set[str]:
    """Check that every task is completed on chain, each step once; return the wallets that computed."""
    for task in tasks:
        record = await requester.on_chain(task)
        assert (record.completed, record.counts()) == (True, ONCE)
    return {
        replicate.wallet_address
        for task in tasks
        for replicate in progress.tasks[task].replicates
        if any(change.status == ReplicateStatus.REPLICATE_STATUS_REVEALED for change in replicate.history)
    }


def downloaded(url: str) -> bytes:
    """Return the bytes at a URL."""
    with urlopen(url, timeout=PATIENCE_S) as answer:
        content: bytes = answer.read()
    return content


async def follow_through(
    requester: Requester,
    tasks: list[TaskId],
    status: str,
    change: Callable[[], Awaitable[None]],
) -> Progress:
    """Follow tasks to their end; make a change of the pool once a replicate has reached a status."""
    reached = asyncio.Event()

    def look(progress: Progress) -> None:
        if any(
            ReplicateStatus.Name(each.status) == f"REPLICATE_STATUS_{status}"
            for task in progress.tasks.values()
            for replicate in task.replicates
            for each in replicate.history
        ):
            reached.set()

    async def changed() -> None:
        await reached.wait()
        await change()

    async with asyncio.TaskGroup() as group:
        following = group.create_task(requester.follow(tasks, look))
        group.create_task(changed())
    return following.result()


async def test_an_upgrade_of_the_result_proxy_under_load_loses_nothing(
    net: Devnet, requester: Requester, release: Version, record_property: Callable[[str, object], None]
) -> None:
    record_property("figure", f"one release apart: {release.name} and this version")
    before = await requester.buy(APP)
    assert await computed(requester, await requester.follow(before), before)
    tasks = await requester.buy(APP, volume=BAG)
    progress = await follow_through(requester, tasks, "COMPUTING", lambda: upgraded(net, "result_proxy"))
    assert await computed(requester, progress, tasks) == {net.account(RELEASED_WORKER).address}
    proxy = net.services["result_proxy"].http
    for task in (*before, *tasks):
        assert (await asyncio.to_thread(downloaded, f"{proxy}/results/{task}"))[:2] == b"PK"


async def test_a_worker_of_this_version_computes_for_a_released_core(
    net: Devnet, requester: Requester
) -> None:
    net.services[NEW_WORKER].start()
    await connected(net, RELEASED_WORKER, NEW_WORKER)
    tasks = await requester.buy(APP, volume=BAG)
    wallets = await computed(requester, await requester.follow(tasks), tasks)
    assert wallets == {each.address for each in net.worker_wallets}


async def test_an_upgrade_of_core_and_the_others_under_load_loses_nothing(
    net: Devnet, requester: Requester
) -> None:
    tasks = await requester.buy(APP, volume=BAG)
    others = ("registry", "chain_adapter", "core")
    progress = await follow_through(requester, tasks, "COMPUTING", lambda: upgraded(net, *others))
    await computed(requester, progress, tasks)
    assert "schema.migrated" in (net.logs / "chain_adapter.log").read_text()


async def test_a_released_worker_computes_for_a_core_of_this_version(
    net: Devnet, requester: Requester
) -> None:
    await connected(net, RELEASED_WORKER, NEW_WORKER)
    tasks = await requester.buy(APP, volume=BAG)
    wallets = await computed(requester, await requester.follow(tasks), tasks)
    assert wallets == {each.address for each in net.worker_wallets}


async def test_a_worker_that_is_upgraded_under_load_continues_its_replicates(
    net: Devnet, requester: Requester
) -> None:
    """It is killed when it has just contributed, and while it computes other tasks."""
    worker, other = net.services[RELEASED_WORKER], net.services[NEW_WORKER]
    await asyncio.to_thread(other.process.stop, STOP_LIMIT_S)

    async def replaced() -> None:
        worker.kill()
        NOW.take(worker)
        worker.start()
        await worker.wait_healthy(timeout=PATIENCE_S)

    tasks = await requester.buy(APP, volume=BAG)
    progress = await follow_through(requester, tasks, "CONTRIBUTED", replaced)
    assert await computed(requester, progress, tasks) == {net.account(RELEASED_WORKER).address}
