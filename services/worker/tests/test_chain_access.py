"""The worker's access to the chain as its composition opens it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.health import Health
from workerpool_kit.process import Lifetime
from workerpool_kit.settings.environment import load
from workerpool_poco.chain.wallet import Wallet
from workerpool_worker import dependencies
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.adapters.sqlite_transactions import SqliteTransactions
from workerpool_worker.chain_access import ChainAccess, open_chain
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.harness.context import unexpected
from services.worker.tests.harness.waiting import Eventually


class Opening:
    """Opens the chain for a new wallet, as a starting worker does."""

    def __init__(self, chain: Any, folder: Path, stack: AsyncExitStack) -> None:
        self.chain, self._folder, self._stack = chain, folder, stack
        self.wallet = Wallet.create()
        self.health = Health()

    async def open(self, *, sidechain: bool = False, **variables: str) -> ChainAccess:
        workerpool = self.chain.market.create_workerpool(self.chain.account("poolOwner"), str(self._folder))
        settings = load(WorkerSettings, {"POOL_ADDRESS": workerpool} | variables)
        config = ChainConfig(self.chain.chain_id, sidechain, self.chain.url, self.chain.hub, 0.25)
        journal = SqliteJournal(self._folder / "journal.db", on_failure=unexpected)
        await journal.open()
        self._stack.push_async_callback(journal.close)
        transactions = SqliteTransactions(journal.file, chain_id=config.chain_id, wallet=self.wallet.address)
        return await open_chain(
            settings, config, self.wallet, transactions, self.health, Lifetime(), self._stack
        )

    def component(self, name: str) -> dict[str, Any]:
        """Return a component of health."""
        found: dict[str, Any] = self.health.snapshot()["components"][name]
        return found


@pytest.fixture
async def opening(fresh_poco_chain: Any, tmp_path: Path) -> AsyncIterator[Opening]:
    async with AsyncExitStack() as stack:
        yield Opening(fresh_poco_chain, tmp_path, stack)


async def test_an_empty_wallet_parks_the_worker_until_it_is_funded(
    opening: Opening, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dependencies, "SLOW_PERIOD_S", 0.1)
    access = await opening.open()
    assert "the wallet has 0 wei and 10 transactions cost" in access.funds.problem
    shown = opening.component("wallet")
    assert (shown["status"], shown["details"]["address"]) == ("OUT_OF_SERVICE", opening.wallet.address)
    assert "send it coins for gas" in shown["details"]["next_step"]
    opening.chain.chain.rpc.call("anvil_setBalance", opening.wallet.address, hex(10**18))
    await eventually(lambda: not access.funds.problem)
    wallet = {"wallet": opening.wallet.address}
    await eventually(lambda: REGISTRY.get_sample_value("workerpool_wallet_in_flight", wallet) == 0)
    await eventually(lambda: opening.component("wallet")["status"] == "UP")


@pytest.mark.parametrize(
    "free",
    [{"sidechain": True}, {"IEXEC_GAS_PRICE_CAP": "0"}, {"IEXEC_GAS_PRICE_MULTIPLIER": "0"}],
    ids=["sidechain", "cap 0", "multiplier 0"],
)
async def test_with_free_gas_a_wallet_without_coins_works(opening: Opening, free: dict[str, Any]) -> None:
    """Scenario 26: a sidechain ignores gas."""
    access = await opening.open(**free)
    assert access.funds.problem == ""
    assert opening.component("wallet")["status"] == "UP"
