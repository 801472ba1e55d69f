"""What operators see of the wallet."""

from typing import Any

import pytest
from workerpool_chain_adapter.app.wallet import WalletView
from workerpool_chain_adapter.errors import ChainUnavailable
from workerpool_transactions.domain.fees import FeePolicy

World = Any


async def test_the_wallet_is_read_now(world: World) -> None:
    await world.sent(1)
    await world.block()
    await world.sent(2)
    world.chain.funds = 101 * 500_000 * 7
    wallet = await world.assembly.wallet.read()
    assert (wallet.mined_nonce, wallet.next_nonce, wallet.pipeline.in_flight) == (1, 2, 1)
    assert (wallet.balance, wallet.price, wallet.transactions_left) == (101 * 500_000 * 7, 101, 7)


async def test_free_gas_has_no_last_transaction(world: World) -> None:
    view = WalletView("0x1", world.chain, world.assembly.pipeline, FeePolicy(0, 0))
    wallet = await view.read()
    assert (wallet.price, wallet.transactions_left) == (0, None)


async def test_an_unreachable_node_is_an_outage(world: World) -> None:
    world.chain.is_down = True
    with pytest.raises(ChainUnavailable, match="cannot read the wallet"):
        await world.assembly.wallet.read()
