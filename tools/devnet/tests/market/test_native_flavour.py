"""The flavour of Bellecour: deposits, prices and stakes in the chain's own coin, and free gas."""

from collections.abc import Iterator
from typing import Any

import pytest
from workerpool_devnet.chain.anvil import Chain
from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.market import accounts, deployment
from workerpool_devnet.market.deployment import Flavour
from workerpool_devnet.market.trading import Purchase
from workerpool_devnet.pytest_plugin import PocoChain

ZERO_ADDRESS = "0x" + "00" * 20


@pytest.fixture(scope="module")
def native_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocoChain]:
    log = tmp_path_factory.mktemp("native") / "chain.log"
    with Chain(log=log, chain_id=134, free_gas=True) as chain:
        yield PocoChain(chain, deployment.deploy(chain.rpc, accounts.deployer(chain.rpc), Flavour.NATIVE))


def view(chain: PocoChain, function: str, *arguments: object) -> Any:
    return chain.market.hub.functions[function](*arguments).call()


def balance(chain: PocoChain, address: str) -> int:
    return int(chain.chain.rpc.call("eth_getBalance", address, "latest"), 16)


def test_the_hub_has_no_token(native_chain: PocoChain) -> None:
    assert view(native_chain, "token") == native_chain.contracts.rlc == ZERO_ADDRESS


def test_a_funded_account_has_coins_and_a_deposit_and_pays_no_gas(native_chain: PocoChain) -> None:
    worker = native_chain.account("native worker")
    assert tuple(view(native_chain, "viewAccount", worker.address)) == (accounts.STAKE_RLC, 0)
    rest = accounts.GAS_BALANCE + accounts.WALLET_RLC * accounts.NRLC
    assert balance(native_chain, worker.address) == rest


def test_a_deposit_returns_what_is_less_than_one_nrlc(native_chain: PocoChain) -> None:
    depositor = native_chain.account("native depositor")
    before = balance(native_chain, depositor.address)
    outbox = Outbox(native_chain.chain.rpc)
    deposit = native_chain.market.hub.functions.deposit()
    outbox.invoke(depositor, "deposit", deposit, gas=300_000, value=5 * accounts.NRLC + 7)
    outbox.flush()
    assert view(native_chain, "viewAccount", depositor.address)[0] == accounts.STAKE_RLC + 5
    assert balance(native_chain, depositor.address) == before - 5 * accounts.NRLC


def test_a_match_locks_the_price_and_the_stake_of_the_pool(native_chain: PocoChain) -> None:
    owner, requester = native_chain.account("native pool owner"), native_chain.account("native requester")
    market = native_chain.market
    wanted = Purchase(
        requester=requester,
        app=market.create_app(requester, "hello", "docker.io/example/hello:1"),
        app_owner=requester,
        workerpool=market.create_workerpool(owner, "a pool"),
        pool_owner=owner,
        volume=3,
        app_price=7,
        workerpool_price=1000,
    )
    (deal,) = market.buy(wanted)
    assert deal.volume == 3
    assert view(native_chain, "viewAccount", requester.address)[1] == 3 * 1007
    assert view(native_chain, "viewAccount", owner.address)[1] == 3 * 300
