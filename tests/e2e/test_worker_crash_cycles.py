"""Workers are killed (SIGKILL) at any moment under load: each task completes, once, and nothing is left on the host."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import docker
import pytest
import pytest_asyncio
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.worker_containers import SANDBOX_LABEL
from workerpool_poco.protocol.ids import TaskId

from e2e.crash_cycles import CrashCycles
from e2e.requester import Requester
from services.worker.tests.harness.host_state import left_of, used_since

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

WORKERS = ("worker-1", "worker-2")
SLOTS = 2
BOTH_AGREE = 3
"""A trust that two workers reach."""
SEED = 13
AGAIN_SHARE, AGAIN_WITHIN_S = 0.25, 3.0
"""Share of the cycles that kill a worker a second time while it starts or resumes."""


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    found = docker.from_env()
    yield found
    found.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """Run a pool that restarts killed workers."""
    options = DevnetOptions(
        workers=len(WORKERS), cpus_per_worker=SLOTS, trust=BOTH_AGREE, restart=True, long_chain=True
    )
    async with Devnet(options) as running:
        yield running


@pytest.mark.parametrize(
    "cycles",
    [
        pytest.param(6, marks=pytest.mark.full, id="6 cycles"),
        pytest.param(100, marks=pytest.mark.soak, id="100 cycles"),
    ],
)
async def test_every_task_completes_once_when_workers_are_killed_at_any_moment(
    net: Devnet,
    requester: Requester,
    client: Any,
    cycles: int,
    record_property: Callable[[str, object], None],
) -> None:
    wallets = [wallet.address for wallet in net.worker_wallets]

    async def buy() -> list[TaskId]:
        return await requester.buy("all", volume=3) + await requester.buy("all", trust=BOTH_AGREE)

    async def kill(chosen: random.Random) -> str:
        victim = net.services[chosen.choice(WORKERS)]
        victim.kill()
        if chosen.random() >= AGAIN_SHARE:
            return f"{victim.name} killed"
        await asyncio.sleep(chosen.uniform(0.0, AGAIN_WITHIN_S))
        victim.kill()
        return f"{victim.name} killed twice"

    def left(since: float) -> list[str]:
        return [
            *left_of(client, used_since(client, wallets, since), wallets, net.folder),
            *(f"sandbox {each.name}" for wallet in wallets for each in sandboxes(client, wallet)[SLOTS:]),
        ]

    crashes = CrashCycles(net, requester, buy, kill, left, SEED)
    await crashes.run(cycles)
    record_property("figure", f"workers killed {cycles} times at {crashes.figure()}")


def sandboxes(client: Any, wallet: str) -> list[Any]:
    """Return the idle containers whose networks the apps of a worker join: one for each slot, however often it dies."""
    found: list[Any] = client.containers.list(
        all=True, filters={"label": f"{SANDBOX_LABEL}={wallet}"}, ignore_removed=True
    )
    return found
