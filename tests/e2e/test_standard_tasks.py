"""A bag of tasks and a task with trust 5, from deal to result, on real parts."""

import io

import pytest
from rich.console import Console
from workerpool_devnet.demo.run import compute
from workerpool_devnet.devnet import Devnet

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


async def test_workers_and_pool_are_paid(net: Devnet) -> None:
    from workerpool_poco.hub import HubClient

    async with HubClient(net.chain.url, net.contracts.hub) as hub:
        from workerpool_devnet.accounts import STAKE_RLC

        accounts = [await hub.view_account(wallet.address) for wallet in net.worker_wallets]
    assert all(account.locked == 0 for account in accounts)
    assert all(account.stake > STAKE_RLC for account in accounts)
