"""A running market on a real chain."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from devnet.tests.order_book.market_client import Client, running_market
from workerpool_devnet.pytest_plugin import PocoChain


@pytest.fixture
async def client(fresh_poco_chain: PocoChain, tmp_path: Path) -> AsyncIterator[Client]:
    async with running_market(fresh_poco_chain, tmp_path / "orders") as found:
        yield found
