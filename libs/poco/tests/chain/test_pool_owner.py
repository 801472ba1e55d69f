"""What a pool's owner does once, against the real contracts: register the pool, set its policy, deposit."""

import asyncio

from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import ZERO_ADDRESS


async def execute(chain: PocoChain, wallet: Wallet, call: calls.Call) -> None:
    """Send a call and wait until it is mined."""

    def send() -> None:
        outbox = Outbox(chain.chain.rpc)
        outbox.call(wallet, "a call", call.to or chain.hub, call.data, value=call.value)
        outbox.flush()

    await asyncio.to_thread(send)


async def test_the_address_of_a_workerpool_is_known_before_its_registration(poco_chain: PocoChain) -> None:
    owner = poco_chain.account("owner-of-a-new-pool")
    async with HubClient(poco_chain.url, poco_chain.hub) as hub:
        predicted, registered = await hub.predict_workerpool(owner.address, "a new pool")
        assert not registered
        registry = await hub.workerpool_registry()
        await execute(poco_chain, owner, calls.create_workerpool(registry, owner.address, "a new pool"))
        assert await hub.predict_workerpool(owner.address, "a new pool") == (predicted, True)
        assert await hub.workerpool_owner(predicted) == owner.address


async def test_the_owner_sets_the_policy_of_its_pool(poco_chain: PocoChain) -> None:
    owner = poco_chain.account("owner-with-a-policy")
    async with HubClient(poco_chain.url, poco_chain.hub) as hub:
        registry = await hub.workerpool_registry()
        await execute(poco_chain, owner, calls.create_workerpool(registry, owner.address, "with a policy"))
        pool, _ = await hub.predict_workerpool(owner.address, "with a policy")
        await execute(poco_chain, owner, calls.change_policy(pool, 35, 5))
        found = await hub.view_workerpool(pool)
    assert (found.worker_stake_ratio, found.scheduler_reward_ratio) == (35, 5)


async def test_the_rlc_of_a_wallet_is_reported_without_its_stake(poco_chain: PocoChain) -> None:
    owner = poco_chain.account("owner-with-rlc")
    async with HubClient(poco_chain.url, poco_chain.hub) as hub:
        token = await hub.rlc_token()
        assert token == poco_chain.contracts.rlc != ZERO_ADDRESS
        before, account = await hub.rlc_balance(owner.address), await hub.view_account(owner.address)
        await execute(poco_chain, owner, calls.approve_and_deposit(token, poco_chain.hub, 7))
        assert await hub.rlc_balance(owner.address) == before - 7
        assert (await hub.view_account(owner.address)).stake == account.stake + 7
        assert await hub.workerpool_stake_ratio() == 30
