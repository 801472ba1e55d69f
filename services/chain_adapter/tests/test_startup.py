"""Start-up checks: each wrong setting ends the process with one sentence."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import http_calls
import pymongo
import pytest
from patience import PATIENCE_S
from workerpool_chain_adapter import startup
from workerpool_chain_adapter.errors import WalletInUse
from workerpool_chain_adapter.settings import ChainAdapterSettings
from workerpool_kit.process import StartupError
from workerpool_kit.settings.environment import load

Launch = Callable[..., Awaitable[Any]]
PREFIX = "IEXEC_BLOCKCHAIN_ADAPTER_API_"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({PREFIX + "WALLET_PASSWORD": "wrong"}, "the password does not open the wallet"),
        ({PREFIX + "WALLET_PATH": "/nowhere/wallet.json"}, "/nowhere/wallet.json"),
        ({"IEXEC_HUB_ADDRESS": "0x" + "12" * 20}, "no PoCo hub at"),
    ],
)
async def test_a_wrong_value_ends_the_process_with_one_sentence(
    launch: Launch, changes: dict[str, str], sentence: str
) -> None:
    code, output = await (await launch(**changes)).ended()
    assert code == 1
    assert sentence in output.splitlines()[-2] + output.splitlines()[-1]
    assert "keystore password" not in output


async def test_a_missing_value_is_named(launch: Launch) -> None:
    code, output = await (await launch(**{PREFIX + "WALLET_PASSWORD": None})).ended()
    assert code == 2
    assert f"{PREFIX}WALLET_PASSWORD: not set" in output


async def test_a_second_adapter_on_the_same_wallet_is_refused(launch: Launch) -> None:
    first = await (await launch()).ready()
    code, output = await (await launch()).ended()
    assert code == 1
    assert "another chain adapter" in output
    assert first.process.returncode is None


async def test_the_wallet_is_free_again_after_a_kill_and_after_a_stop(launch: Launch) -> None:
    first = await (await launch()).ready()
    await first.kill()
    second = await (await launch()).ready()
    assert await second.stop() == 0
    await (await launch()).ready()


async def test_a_journal_of_another_hub_is_refused(
    launch: Launch, chain: Any, mongod: Any, environment: Any
) -> None:
    origin = {"_id": "origin", "chain_id": 1, "hub_address": chain.hub}
    with pymongo.MongoClient[dict[str, Any]](mongod.uri) as client:
        client[environment["MONGO_DATABASE"]]["origin"].insert_one(origin)
    code, output = await (await launch()).ended()
    assert code == 1
    assert "contains the journal of chain 1" in output


@pytest.mark.parametrize(
    ("changes", "component", "variable", "words"),
    [
        (
            {"IEXEC_BLOCKCHAIN_NODE_ADDRESS": "http://127.0.0.1:9"},
            "chain",
            "IEXEC_BLOCKCHAIN_NODE_ADDRESS",
            "does not answer",
        ),
        ({"IEXEC_CHAIN_ID": "134"}, "chain", "IEXEC_BLOCKCHAIN_NODE_ADDRESS", "serves chain 65535, not 134"),
        ({"MONGO_URI": "mongodb://127.0.0.1:9/"}, "database", "MONGO_URI", "cannot reach MongoDB"),
    ],
    ids=["no node", "wrong node", "no database"],
)
async def test_a_missing_dependency_is_named_and_waited_for(
    launch: Launch, changes: dict[str, str], component: str, variable: str, words: str
) -> None:
    adapter = await launch(**changes)
    details: dict[str, str] = {}
    async with asyncio.timeout(PATIENCE_S):
        while words not in details.get("problem", ""):
            await asyncio.sleep(0.05)
            try:
                health = await http_calls.get(f"http://127.0.0.1:{adapter.port - 10_000}/actuator/health")
            except aiohttp.ClientConnectionError:
                continue
            assert health.status == 503
            details = health.json()["components"][component].get("details", {})
    assert details["variable"] == variable
    assert details["next_step"]
    assert adapter.process.returncode is None
    assert await adapter.stop() == 0


def settings(**changes: Any) -> ChainAdapterSettings:
    required = {PREFIX + "WALLET_PATH": "/nowhere/wallet.json", PREFIX + "WALLET_PASSWORD": "secret"}
    return load(ChainAdapterSettings, required | changes)


async def test_a_wallet_that_cannot_be_opened_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=f"correct {PREFIX}WALLET_PATH"):
        await startup.open_wallet(settings())
    broken = tmp_path / "wallet.json"
    broken.write_text("{}")
    with pytest.raises(StartupError, match=f"correct {PREFIX}WALLET_PATH"):
        await startup.open_wallet(settings(**{PREFIX + "WALLET_PATH": str(broken)}))


async def test_a_wallet_in_use_ends_the_start() -> None:
    class Held:
        async def acquire(self) -> None:
            raise WalletInUse("another chain adapter uses the wallet")

    held: Any = Held()
    with pytest.raises(StartupError, match="another chain adapter"):
        await startup.acquire(held)
