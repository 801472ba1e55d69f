"""What the wallet can pay, on a machine whose clock is set."""

from typing import Any

from workerpool_chain_adapter.app.funds import GAS_PER_TRANSACTION, Funds
from workerpool_chain_adapter.domain.fees import GasPolicy
from workerpool_kit.clock import FakeClock


class Chain:
    """A wallet's balance, at a price of one wei per gas."""

    address = "0x01"

    def __init__(self) -> None:
        self.coins = 0

    async def balance(self) -> int:
        return self.coins

    async def network_price(self) -> int:
        return 1


async def test_coins_are_seen_although_the_clock_was_set_back() -> None:
    clock, chain = FakeClock(), Chain()
    wallet: Any = chain
    funds = Funds(wallet, GasPolicy(), clock, sidechain=False)
    await funds.refresh()
    assert not funds.can_pay()
    chain.coins = 100 * GAS_PER_TRANSACTION
    await funds.refresh()
    assert not funds.can_pay(), "read a moment ago"
    clock.advance(-3_600)
    await funds.refresh()
    assert funds.can_pay()
