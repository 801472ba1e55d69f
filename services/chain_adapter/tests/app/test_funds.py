"""What the wallet can pay."""

import pytest
from workerpool_chain_adapter.app.funds import GAS_PER_TRANSACTION, Funds
from workerpool_chain_adapter.domain.fees import GasPolicy
from workerpool_chain_adapter.errors import ChainUnavailable
from workerpool_kit.clock import FakeClock
from workerpool_poco.errors import ChainUnreachable

from services.chain_adapter.tests.doubles.chain import MemoryChain


@pytest.fixture
def chain() -> MemoryChain:
    """Return a chain at a gas price of 1 wei, with an empty wallet."""
    chain = MemoryChain()
    chain.coins, chain.gas_price = 0, 1
    return chain


async def test_new_coins_are_seen_after_the_clock_was_set_back(chain: MemoryChain) -> None:
    clock = FakeClock()
    funds = Funds(chain, GasPolicy(), clock, sidechain=False)
    await funds.refresh()
    assert not funds.can_pay()
    chain.coins = 100 * GAS_PER_TRANSACTION
    await funds.refresh()
    assert not funds.can_pay(), "the balance is cached for a few seconds"
    clock.advance(-3_600)
    await funds.refresh()
    assert funds.can_pay()


@pytest.mark.parametrize(
    ("policy", "sidechain"),
    [(GasPolicy(), True), (GasPolicy(multiplier=0), False), (GasPolicy(cap=0), False)],
)
async def test_an_empty_wallet_can_pay_where_gas_is_free(
    chain: MemoryChain, policy: GasPolicy, sidechain: bool
) -> None:
    funds = Funds(chain, policy, FakeClock(), sidechain=sidechain)
    await funds.refresh()
    assert funds.can_pay()


async def test_the_wallet_is_read_from_the_chain(chain: MemoryChain) -> None:
    chain.coins = 7
    funds = Funds(chain, GasPolicy(), FakeClock(), sidechain=False)
    wallet = await funds.wallet()
    assert (wallet.address, wallet.balance, wallet.mined, wallet.pending) == (chain.address, 7, 0, 0)
    chain.outage = ChainUnreachable("no node")
    with pytest.raises(ChainUnavailable, match="cannot read the wallet"):
        await funds.wallet()
