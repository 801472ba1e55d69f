"""A pool and a worker, built and started by their compose files, compute a deal: `make stack-test`.

Base images are stand-ins (`stand_ins.py`). The chain and the market run on this host, where containers reach them as
they reach an outside node. Ports are those of compose.yaml, so no other pool may run here. The tests follow an
operator, so their order matters.

`make test-full` runs them too, but for the bag: without IPFS where Kubo is not built.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import pytest_asyncio
from workerpool_devnet.devnet import Devnet

from stack.pool_of_compose import (
    DEPENDENCIES,
    POOL_PROJECT,
    READY_LIMIT_S,
    WORKER_PROJECT,
    Stack,
    compute,
    status_of,
    take_down,
    wait_for_worker,
)
from stack.running import OURS, memory_mib, remains, up, wait_until
from stack.running_pool import pool_over_http

pytestmark = [pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

SERVICES_MIB = 380
"""What the six services may use together."""
STACK_MIB = 4 * 1024
"""What the whole stack may use, which is made for a server with 2 processors and 4 GB."""
TASKS, BAG = 3, 20


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(images: Mapping[str, str], net: Devnet) -> AsyncIterator[Stack]:
    """Start the pool and one worker; take both down."""
    async with pool_over_http(images, net) as running:
        yield running


async def test_a_deal_is_computed(stack: Stack, record_property: Callable[[str, object], None]) -> None:
    record_property("figure", f"every container of the pool is healthy {stack.ready_s:.1f} s after `up`")
    await compute(stack, TASKS)


@pytest.mark.parametrize(
    ("path", "word"),
    [
        (":13010/config/chain", "iexecHubContractAddress"),
        (":7001/metrics", "aliveWorkers"),
        (":7001/version", "0."),
        (":8888/config/chain", "iexecHubContractAddress"),
        (":13200/actuator/health", "UP"),
        (":13300/tee/framework", "TDX"),
    ],
)
async def test_each_url_of_the_guide_answers(stack: Stack, path: str, word: str) -> None:
    url = f"{stack.core.rpartition(':')[0]}{path}"
    status, body = await asyncio.to_thread(stack.get, url)
    assert (status, word in body.decode()) == (200, True), body


async def test_the_order_publisher_offers_the_free_slots(stack: Stack) -> None:
    market = stack.net.services["market"].http
    query = f"{market}/workerpoolorders?chainId={stack.net.chain.chain_id}&workerpool={stack.net.workerpool}"

    def offered() -> int:
        status, body = stack.get(f"{query}&category=0")
        return int(json.loads(body)["count"]) if status == 200 else 0

    def logs() -> str:
        return stack.pool.compose("logs", "order-publisher-std")

    await asyncio.to_thread(wait_until, lambda: offered() > 0, READY_LIMIT_S, logs)
    assert "order" in await asyncio.to_thread(logs)


async def test_prometheus_scrapes_core(stack: Stack) -> None:
    def up_services() -> str:
        return stack.get("http://127.0.0.1:9090/api/v1/query?query=up")[1].decode()

    await asyncio.to_thread(wait_until, lambda: '"1"' in up_services(), READY_LIMIT_S, up_services)


async def test_each_container_is_confined(stack: Stack) -> None:
    for project, services in ((stack.pool, (*OURS, *DEPENDENCIES)), (stack.worker, ("worker",))):
        for name in services:
            found = await asyncio.to_thread(project.inspect, name)
            host = found["HostConfig"]
            assert (found["Config"]["User"] or "0").partition(":")[0] != "0" or name == "worker", name
            assert host["ReadonlyRootfs"] is True
            assert host["CapDrop"] == ["ALL"]
            assert host["Memory"] > 0
            assert host["NanoCpus"] > 0
            assert host["LogConfig"]["Config"] == {"max-file": "5", "max-size": "10m"}
            assert "no-new-privileges:true" in host["SecurityOpt"]
            secrets = [
                each for each in found["Config"]["Env"] if "passphrase" in each or "mongodb://" in each
            ]
            assert secrets == []


@pytest.mark.soak
async def test_a_bag_is_computed_on_a_small_server(
    stack: Stack, record_property: Callable[[str, object], None]
) -> None:
    services, whole, most = 0.0, 0.0, ""
    bag = asyncio.create_task(compute(stack, BAG))
    while not bag.done():
        used = await asyncio.to_thread(memory_mib, stack.pool, [*OURS, *DEPENDENCIES])
        whole = max(whole, sum(used.values()))
        ours = {name: size for name, size in used.items() if name in OURS}
        if (now := sum(ours.values())) > services:
            services, most = now, ", ".join(f"{name} {size:.0f}" for name, size in sorted(ours.items()))
        await asyncio.wait((bag,), timeout=1.0)
    await bag
    record_property(
        "figure", f"a bag of {BAG}: the stack uses {whole:.0f} MiB, its services {services:.0f}: {most}"
    )
    assert services <= SERVICES_MIB
    assert whole <= STACK_MIB


async def test_down_and_up_resumes(stack: Stack) -> None:
    before = await compute(stack, 1)
    await asyncio.to_thread(stack.pool.compose, "down")
    left = await asyncio.to_thread(remains, POOL_PROJECT)
    assert left
    assert all("data" in name or "config" in name or "staging" in name or "uploads" in name for name in left)
    await asyncio.to_thread(up, stack.pool)
    await asyncio.to_thread(stack.pool.wait_healthy, [*OURS, *DEPENDENCIES], READY_LIMIT_S)
    assert [status_of(stack, task) for task in before] == ["COMPLETED"]
    await asyncio.to_thread(wait_for_worker, stack)
    await compute(stack, 1)


async def test_nothing_remains_after_the_end(stack: Stack) -> None:
    await take_down(stack.worker, stack.pool)
    assert await asyncio.to_thread(remains, POOL_PROJECT, WORKER_PROJECT) == []
