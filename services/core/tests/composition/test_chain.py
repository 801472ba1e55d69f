"""The readers of the node are built from the settings and the chain's configuration."""

from contextlib import AsyncExitStack
from typing import Any, cast

import pytest
from workerpool_core.composition import chain
from workerpool_core.composition.parts import Parts
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.process import Lifetime
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import address

from services.core.tests.doubles.settings import load

HUB = address("0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f")
NO_ENGINE = cast(Any, type("NoEngine", (), {"submit": staticmethod(lambda event: None)}))


@pytest.mark.parametrize(("sidechain", "factor"), [(True, 0), (False, 1)])
async def test_a_worker_needs_gas_for_its_transactions_except_on_a_sidechain(
    sidechain: bool, factor: int
) -> None:
    async with AsyncExitStack() as stack:
        settings = load({})
        parts = Parts(settings, cast(Lifetime, None), stack, Wallet.create(), "1.0")
        config = ChainConfig(
            chain_id=134, sidechain=sidechain, node_url="http://node", hub_address=HUB, block_time_s=5.0
        )
        _, weights = chain.readers(parts, config, cast(HubClient, None), NO_ENGINE)
        assert cast(Any, weights)._gas_price_cap == factor * settings.gas_price_cap
