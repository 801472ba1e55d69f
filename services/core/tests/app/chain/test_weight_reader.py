"""Weights come from scores on chain, and are 0 for a wallet that cannot pay for a contribution."""

import asyncio
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_core.app.chain.weight_reader import WeightReader
from workerpool_core.domain.decisions import ReadWeight
from workerpool_core.domain.events import WeightsRead
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.model import Account

FRESH = 2
"""The weight of a wallet without a score."""


async def weights(chain: PocoChain, wallets: list[str], gas_price_cap: int) -> dict[str, int]:
    found: dict[str, int] = {}

    def take(event: WeightsRead) -> None:
        found.update(event.weights)

    async with HubClient(chain.url, chain.hub) as hub:
        reader = WeightReader(hub, take, gas_price_cap=gas_price_cap)
        for wallet in wallets:
            reader.request(ReadWeight(wallet))
        running = asyncio.create_task(reader.run())
        async with asyncio.timeout(PATIENCE_S):
            while len(found) < len(wallets):
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait([running])
    return found


async def test_s09_a_wallet_without_gas_has_no_weight(poco_chain: PocoChain) -> None:
    rich, poor = poco_chain.account("rich worker").address, Wallet.create().address
    found = await weights(poco_chain, [rich, poor], gas_price_cap=10**9)
    assert found == {rich: FRESH, poor: 0}


class CheapGas:
    """A hub on a chain at 0.1 gwei, whose wallets have little."""

    def __init__(self, balance: int, price: int = 10**8) -> None:
        self._balance, self._price = balance, price

    async def view_scores(self, wallets: list[str]) -> list[int]:
        return [0 for _ in wallets]

    async def view_accounts(self, wallets: list[str]) -> list[Account]:
        return [Account(0, 0) for _ in wallets]

    async def balances(self, wallets: list[str]) -> list[int]:
        return [self._balance for _ in wallets]

    async def gas_price(self) -> int:
        return self._price


@pytest.mark.parametrize(
    ("balance", "price", "weight"),
    [
        (5 * 10**14, 10**8, FRESH),
        (5 * 10**14 - 1, 10**8, 0),
        (5 * 10**14, 2 * 10**8, 0),
        # Workers pay no more than the cap.
        (11 * 10**16, 10**12, FRESH),
    ],
    ids=["enough for ten", "not enough", "dearer gas", "price above the cap"],
)
async def test_a_wallet_needs_ten_transactions_at_the_price_of_today(
    balance: int, price: int, weight: int
) -> None:
    answered: asyncio.Queue[WeightsRead] = asyncio.Queue()
    hub: Any = CheapGas(balance, price)
    reader = WeightReader(hub, answered.put_nowait, gas_price_cap=22 * 10**9)
    reader.request(ReadWeight("0xW"))
    running = asyncio.create_task(reader.run())
    async with asyncio.timeout(PATIENCE_S):
        assert (await answered.get()).weights == (("0xW", weight),)
    running.cancel()
    await asyncio.wait([running])


async def test_without_gas_costs_every_wallet_has_its_weight(poco_chain: PocoChain) -> None:
    poor = Wallet.create().address
    assert await weights(poco_chain, [poor], gas_price_cap=0) == {poor: FRESH}


async def test_worker_silent_the_free_stake_of_each_wallet_is_read_beside_its_weight(
    poco_chain: PocoChain,
) -> None:
    poor = Wallet.create().address
    answered: asyncio.Queue[WeightsRead] = asyncio.Queue()
    async with HubClient(poco_chain.url, poco_chain.hub) as hub:
        reader = WeightReader(hub, answered.put_nowait)
        reader.request(ReadWeight(poor))
        running = asyncio.create_task(reader.run())
        async with asyncio.timeout(PATIENCE_S):
            event = await answered.get()
        running.cancel()
        await asyncio.wait([running])
    assert event == WeightsRead(((poor, FRESH),), ((poor, 0),))
