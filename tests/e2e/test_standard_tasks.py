"""A bag of tasks and a task with trust 5, from deal to result."""

import io

import pytest
from rich.console import Console
from workerpool_devnet.demo.run import compute
from workerpool_devnet.devnet import Devnet
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.ids import DealId

from e2e.requester import PRICE, Requester

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def test_every_task_of_the_demo_completes_with_the_digest_on_chain(net: Devnet, image: str) -> None:
    outcomes = await compute(net, image, Console(file=io.StringIO()), lambda line: None)

    assert [outcome.bought.label for outcome in outcomes] == ["bag 1/3", "bag 2/3", "bag 3/3", "trust 5"]
    for outcome in outcomes:
        assert outcome.succeeded, outcome
        assert outcome.result is not None
        assert set(outcome.result.files) >= {"analysis.txt", "computed.json", "stdout.txt"}
    bag, agreed = outcomes[:3], outcomes[3]
    assert [o.record.counts() for o in bag] == ["1 initialize, 1 contribute, 1 reveal, 1 finalize"] * 3
    assert agreed.record.counts() == "1 initialize, 3 contribute, 3 reveal, 1 finalize"
    assert len({replicate.wallet_address for replicate in agreed.task.replicates}) == 3


async def test_the_requester_pays_workers_and_pool(net: Devnet, requester: Requester) -> None:
    roles = ("requester", "poolOwner", "worker-1", "worker-2", "worker-3")
    async with HubClient(net.chain.url, net.contracts.hub) as hub:
        before = [await hub.view_account(net.account(role).address) for role in roles]
        (task,) = await requester.buy(trust=5)
        progress = await requester.follow([task])
        after = [await hub.view_account(net.account(role).address) for role in roles]
        deal = await hub.view_deal(DealId(progress.tasks[task].deal_id))

    for_each_worker = PRICE * (100 - deal.scheduler_reward_ratio) // 100 // 3
    for_the_pool = PRICE - 3 * for_each_worker
    gains = [now.stake - then.stake for now, then in zip(after, before, strict=True)]
    assert gains == [-PRICE, for_the_pool, for_each_worker, for_each_worker, for_each_worker]
    assert [account.locked for account in after] == [0] * 5
