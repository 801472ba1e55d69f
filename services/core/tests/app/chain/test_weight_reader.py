"""Weights come from scores on chain, and are 0 for a wallet that cannot pay for a contribution."""

import asyncio

from workerpool_core.app.chain.weight_reader import WeightReader
from workerpool_core.domain.decisions import ReadWeight
from workerpool_core.domain.events import WeightsRead
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet

FRESH = 2
"""The weight of a wallet without a score."""


async def weights(chain: PocoChain, wallets: list[str], lowest_balance: int) -> dict[str, int]:
    found: dict[str, int] = {}

    def take(event: WeightsRead) -> None:
        found.update(event.weights)

    async with HubClient(chain.url, chain.hub) as hub:
        reader = WeightReader(hub, take, lowest_balance=lowest_balance)
        for wallet in wallets:
            reader.request(ReadWeight(wallet))
        running = asyncio.create_task(reader.run())
        async with asyncio.timeout(30):
            while len(found) < len(wallets):
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait([running])
    return found


async def test_s09_a_wallet_without_gas_has_no_weight(poco_chain: PocoChain) -> None:
    rich, poor = poco_chain.account("rich worker").address, Wallet.create().address
    found = await weights(poco_chain, [rich, poor], lowest_balance=1)
    assert found == {rich: FRESH, poor: 0}


async def test_without_gas_costs_every_wallet_has_its_weight(poco_chain: PocoChain) -> None:
    poor = Wallet.create().address
    assert await weights(poco_chain, [poor], lowest_balance=0) == {poor: FRESH}
