"""Consensus that is disputed, not revealed, or not reached: the end of the task and all payments.

A simulated worker is the first worker of each task, so the processes of the real workers start after its part.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.services.readiness import wait_registered
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.model import Account, ChainTask
from workerpool_poco.protocol.statuses import ChainTaskStatus, ReplicateStatus, TaskStatus
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from e2e import history
from e2e.requester import PRICE, Requester
from e2e.simulated_worker import simulated_worker

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

CLAIM_SECONDS = 60
WRONG, ALSO_WRONG = b"\x01" * 32, b"\x02" * 32
"""Result digests without a computed result."""
SERVICES = ("registry", "chain_adapter", "result_proxy", "core")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """Run a pool with four real workers, which the tests start, and wallets for two simulated workers."""
    async with Devnet(DevnetOptions(workers=6, trust=5, services=SERVICES)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(net: Devnet) -> AsyncIterator[HubClient]:
    async with HubClient(net.chain.url, net.contracts.hub) as reader:
        yield reader


@contextlib.asynccontextmanager
async def real_workers(net: Devnet, count: int) -> AsyncIterator[None]:
    """Run the first `count` workers of the devnet inside a context."""
    workers = [net.services[f"worker-{number}"] for number in range(1, count + 1)]
    for worker in workers:
        worker.start()
    try:
        wallets = {net.account(worker.name).address for worker in workers}
        core = net.services["core"]
        processes = [core.process, *(worker.process for worker in workers)]
        await wait_registered(core.grpc, processes, wallets, timeout=60)
        yield
    finally:
        for worker in workers:
            worker.stop_for_good()


async def accounts(net: Devnet, hub: HubClient, *roles: str) -> list[Account]:
    return [await hub.view_account(net.account(role).address) for role in roles]


async def test_a_dissenting_worker_loses_its_stake_and_consensus_is_reached(
    net: Devnet, requester: Requester, hub: HubClient
) -> None:
    everybody = ("worker-1", "worker-2", "worker-3", "worker-4", "worker-5")
    before = await accounts(net, hub, *everybody)
    async with simulated_worker(net, "worker-5") as dissenter:
        (task,) = await requester.buy(trust=5)
        await dissenter.contribute(task, WRONG)
        async with real_workers(net, 4):
            progress = await requester.follow([task])
        await dissenter.commanded(task, pb.ACTION_ABORT)

    record = await requester.on_chain(task)
    assert record.completed
    assert record.counts() == "1 initialize, 5 contribute, 4 reveal, 1 finalize"
    assert history.of_task(progress.tasks[task])[-1] is TaskStatus.COMPLETED

    # On chain, the agreeing workers share the price and the stake of the dissenting worker.
    deal = await hub.view_deal(DealId(progress.tasks[task].deal_id))
    after = await accounts(net, hub, *everybody)
    gains = [now.stake - then.stake for now, then in zip(after, before, strict=True)]
    share = (PRICE + deal.worker_stake) * (100 - deal.scheduler_reward_ratio) // 100 // 4
    assert deal.worker_stake > 0
    assert gains == [share, share, share, share, -deal.worker_stake]
    assert [account.locked for account in after] == [0] * 5
    assert [await hub.view_score(net.account(role).address) for role in everybody] == [1, 1, 1, 1, 0]

    replicates = history.replicates(progress, task)
    lost = replicates.pop(dissenter.wallet.address)
    assert history.of_replicate(lost)[-2:] == [ReplicateStatus.CONTRIBUTED, ReplicateStatus.ABORTED]
    assert all(
        ReplicateStatus.REVEALED in history.of_replicate(replicate) for replicate in replicates.values()
    )


async def test_an_unrevealed_consensus_is_reopened_and_completed_by_other_workers(
    net: Devnet, requester: Requester, hub: HubClient
) -> None:
    mute = ("worker-5", "worker-6")
    before = await accounts(net, hub, *mute)
    async with simulated_worker(net, "worker-5") as first, simulated_worker(net, "worker-6") as second:
        (task,) = await requester.buy(trust=3, category="DEV-6S")
        await first.contribute(task, ALSO_WRONG)
        await second.contribute(task, ALSO_WRONG)
        await first.commanded(task, pb.ACTION_REVEAL)
        await second.commanded(task, pb.ACTION_REVEAL)
        async with real_workers(net, 2):
            progress = await requester.follow([task])

    assert (await requester.on_chain(task)).completed
    walked = history.of_task(progress.tasks[task])
    reopened = walked.index(TaskStatus.REOPENING)
    assert walked[reopened - 1 : reopened + 3] == [
        TaskStatus.CONSENSUS_REACHED,
        TaskStatus.REOPENING,
        TaskStatus.REOPENED,
        TaskStatus.INITIALIZED,
    ]
    assert walked[-1] is TaskStatus.COMPLETED
    replicates = history.replicates(progress, task)
    for worker in (first, second):
        replicate = replicates[worker.wallet.address]
        assert history.of_replicate(replicate)[-1] is ReplicateStatus.FAILED
        assert history.causes(replicate)[ReplicateStatus.FAILED] == "REVEAL_TIMEOUT"
        assert (await worker.commanded(task, pb.ACTION_ABORT)).task_id == task
    stake = (await hub.view_deal(DealId(progress.tasks[task].deal_id))).worker_stake
    after = await accounts(net, hub, *mute)
    assert [now.stake - then.stake for now, then in zip(after, before, strict=True)] == [-stake, -stake]
    assert [account.locked for account in after] == [0, 0]


async def test_a_task_without_contributions_is_claimed_and_refunded(
    net: Devnet, requester: Requester, hub: HubClient
) -> None:
    (before,) = await accounts(net, hub, "requester")
    async with simulated_worker(net, "worker-6") as idle:
        (task,) = await requester.buy(category="DEV-2S")
        await idle.assigned(task)
        (bought,) = await accounts(net, hub, "requester")
        assert (bought.stake, bought.locked) == (before.stake - PRICE, before.locked + PRICE)

        progress = await requester.follow([task])
        await idle.commanded(task, pb.ACTION_ABORT)

    assert history.of_task(progress.tasks[task])[-2:] == [TaskStatus.CONTRIBUTION_TIMEOUT, TaskStatus.FAILED]
    assert (await claimed(hub, task)).status is ChainTaskStatus.FAILED
    assert await accounts(net, hub, "requester") == [before]


async def claimed(hub: HubClient, task: TaskId) -> ChainTask:
    """Read the task until it is FAILED on chain: the claim follows the final deadline, later than FAILED in core."""
    async with asyncio.timeout(CLAIM_SECONDS):
        while True:
            found = await hub.view_task(TaskId(task))
            if found.status is ChainTaskStatus.FAILED:
                return found
            await asyncio.sleep(0.1)
