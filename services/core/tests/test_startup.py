"""What the start waits for, and what only an operator can correct."""

from pathlib import Path
from typing import cast

import pytest
import stamina
from workerpool_core import startup
from workerpool_core.startup import NotYet
from workerpool_kit.dependencies.report import Dependency, DependencyReport
from workerpool_kit.health import Health
from workerpool_kit.process import StartupError
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.errors import CallReverted, ChainUnreachable, HubNotFound, PocoError, WrongChain
from workerpool_poco.protocol.ids import address

POOL = address("0x365E7BABAa85eC61Dffe5b520763062e6C29dA27")
UNREACHABLE = ChainUnreachable("the node is down")


class Hub:
    """A hub whose calls raise what the test sets."""

    chain_id = 134

    def __init__(self, error: PocoError | None = None, owner: str = "") -> None:
        self.error, self.owner = error, owner

    async def connect(self) -> None:
        if self.error is not None:
            raise self.error

    async def workerpool_owner(self, pool: str) -> str:
        await self.connect()
        return self.owner

    async def view_workerpool(self, pool: str) -> None: ...


def hub(error: PocoError | None = None, owner: str = "") -> HubClient:
    return cast(HubClient, Hub(error, owner))


async def test_a_step_is_repeated_until_what_it_needs_is_there() -> None:
    noted: list[str] = []
    health = Health()
    report = DependencyReport(health, Dependency("chain", "NODE", "http://node", "start it"))
    attempts = 0

    async def step() -> str:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise NotYet("not there")
        return "there"

    with stamina.set_testing(True, attempts=5):
        assert await startup.waited_for("the node", step, noted.append, report) == "there"
    assert health.is_up
    assert noted == ["the node"]


async def test_a_missing_key_store_names_both_variables(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="IEXEC_CORE_WALLET_PATH and IEXEC_CORE_WALLET_PASSWORD"):
        await startup.open_wallet(tmp_path / "missing.json", "password")


@pytest.mark.parametrize(
    ("error", "raised", "text"),
    [
        (WrongChain("another chain"), NotYet, "IEXEC_BLOCKCHAIN_NODE_ADDRESS"),
        (HubNotFound("no hub"), StartupError, "config server"),
        (UNREACHABLE, NotYet, "does not answer"),
    ],
)
async def test_a_missing_hub_ends_the_start_and_a_wrong_or_missing_node_does_not(
    error: PocoError, raised: type[Exception], text: str
) -> None:
    with pytest.raises(raised, match=text):
        await startup.connect_chain(hub(error))


@pytest.mark.parametrize(
    ("error", "raised", "text"),
    [(CallReverted("revert"), StartupError, "POOL_ADDRESS"), (UNREACHABLE, NotYet, "does not answer")],
)
async def test_a_missing_pool_ends_the_start_and_a_missing_node_does_not(
    error: PocoError, raised: type[Exception], text: str
) -> None:
    with pytest.raises(raised, match=text):
        await startup.check_pool(hub(error), POOL, Wallet.create())


async def test_the_pool_must_belong_to_the_schedulers_wallet() -> None:
    wallet = Wallet.create()
    await startup.check_pool(hub(owner=wallet.address), POOL, wallet)
    with pytest.raises(StartupError, match=wallet.address):
        await startup.check_pool(hub(owner=POOL), POOL, wallet)
