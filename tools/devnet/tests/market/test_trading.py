from typing import Any

import pytest
from workerpool_devnet.errors import TransactionError
from workerpool_devnet.market import accounts
from workerpool_devnet.market.deployment import CATEGORIES
from workerpool_devnet.market.trading import Purchase
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.protocol.deal_params import DealParams

# The chain is shared with other tests of the session, so these tests use their own roles.


def view(chain: PocoChain, function: str, *arguments: object) -> tuple[Any, ...]:
    return tuple(chain.market.hub.functions[function](*arguments).call())


def purchase(chain: PocoChain, **changes: Any) -> Purchase:
    owner, requester = chain.account("market pool owner"), chain.account("market requester")
    wanted: dict[str, Any] = {
        "requester": requester,
        "app": chain.market.create_app(requester, "hello", "docker.io/example/hello:1"),
        "app_owner": requester,
        "workerpool": chain.market.create_workerpool(owner, "a pool"),
        "pool_owner": owner,
    }
    return Purchase(**(wanted | changes))


def test_funded_account_has_gas_and_stake(fresh_poco_chain: PocoChain) -> None:
    worker = fresh_poco_chain.account("market worker")
    stake, locked = view(fresh_poco_chain, "viewAccount", worker.address)
    assert (stake, locked) == (accounts.STAKE_RLC, 0)
    gas = int(fresh_poco_chain.chain.rpc.call("eth_getBalance", worker.address, "latest"), 16)
    assert 0.99 * accounts.GAS_BALANCE < gas <= accounts.GAS_BALANCE


def test_every_category_is_on_the_hub_under_its_position(poco_chain: PocoChain) -> None:
    for position, (name, seconds) in enumerate(CATEGORIES.items()):
        found, _, work_clock_time = view(poco_chain, "viewCategory", position)
        assert (found, work_clock_time) == (name, seconds)


def test_a_match_locks_the_price_and_the_stake_of_the_pool(fresh_poco_chain: PocoChain) -> None:
    wanted = purchase(
        fresh_poco_chain, volume=3, app_price=7, workerpool_price=1000, params=DealParams(args="--now")
    )
    (deal,) = fresh_poco_chain.market.buy(wanted)
    assert (deal.volume, len(set(deal.task_ids))) == (3, 3)
    _, locked = view(fresh_poco_chain, "viewAccount", wanted.requester.address)
    assert locked == 3 * 1007
    _, locked = view(fresh_poco_chain, "viewAccount", wanted.pool_owner.address)
    assert locked == 3 * 300


def test_several_purchases_become_one_deal_each(fresh_poco_chain: PocoChain) -> None:
    wanted = purchase(fresh_poco_chain)
    deals = fresh_poco_chain.market.buy(wanted, wanted, wanted)
    assert len({deal.deal_id for deal in deals}) == 3


def test_a_refused_match_names_the_reason_of_the_hub(fresh_poco_chain: PocoChain) -> None:
    with pytest.raises(TransactionError, match="iExecV5-matchOrders-0x01"):
        fresh_poco_chain.market.buy(purchase(fresh_poco_chain, category=99))


def test_the_snapshot_undoes_a_funding(poco_chain: PocoChain) -> None:
    snapshot = poco_chain.snapshot()
    account = poco_chain.account("only-here")
    poco_chain.revert(snapshot)
    assert view(poco_chain, "viewAccount", account.address) == (0, 0)
