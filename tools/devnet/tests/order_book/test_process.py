"""The market as the process that the devnet starts."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from devnet.tests.order_book.market_client import settings_of
from workerpool_devnet.order_book.service import serving
from workerpool_devnet.processes.ports import free_port
from workerpool_devnet.processes.process import ManagedProcess
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_devnet.services.readiness import wait_healthy
from workerpool_kit.process import StartupError


@pytest.fixture
def process(poco_chain: PocoChain, tmp_path: Path) -> Iterator[ManagedProcess]:
    environment = os.environ | {
        "WORKERPOOL_DEVNET_MARKET_PORT": str(free_port()),
        "WORKERPOOL_DEVNET_MARKET_JOURNAL": str(tmp_path / "orders"),
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS": poco_chain.url,
        "IEXEC_CHAIN_ID": str(poco_chain.chain_id),
        "IEXEC_HUB_ADDRESS": poco_chain.hub,
    }
    command = [sys.executable, "-m", "workerpool_devnet.order_book"]
    found = ManagedProcess("market", command, log=tmp_path / "market.log", env=environment)
    found.start()
    yield found
    found.kill()


async def test_it_becomes_healthy_and_stops_on_request(process: ManagedProcess) -> None:
    assert process.env is not None
    port = process.env["WORKERPOOL_DEVNET_MARKET_PORT"]
    await wait_healthy({f"http://127.0.0.1:{port}": process}, timeout=60)
    await asyncio.to_thread(process.stop)
    assert process.exit_code == 0


async def test_it_reports_an_unreachable_chain(poco_chain: PocoChain, tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    settings = settings_of(poco_chain, tmp_path / "orders").model_copy(update={"node_url": nowhere})
    with pytest.raises(StartupError, match="is the chain up"):
        async with serving(settings):
            pytest.fail("it must not start")
