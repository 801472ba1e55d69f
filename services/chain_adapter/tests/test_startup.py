"""What the adapter says when it cannot work."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from workerpool_devnet.processes.ports import free_port

Launch = Callable[..., Awaitable[Any]]
PREFIX = "IEXEC_BLOCKCHAIN_ADAPTER_API_"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({PREFIX + "WALLET_PASSWORD": "wrong"}, "the password does not open the wallet"),
        ({PREFIX + "WALLET_PATH": "/nowhere/wallet.json"}, "/nowhere/wallet.json"),
        ({"IEXEC_CHAIN_ID": "134"}, "the node serves chain 65535, not 134"),
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
    import pymongo

    origin = {"_id": "origin", "chain_id": 1, "hub_address": chain.hub}
    with pymongo.MongoClient(mongod.uri) as client:
        client[environment["MONGO_DATABASE"]]["origin"].insert_one(origin)
    code, output = await (await launch()).ended()
    assert code == 1
    assert "holds the journal of chain 1" in output


async def test_an_unreachable_node_is_waited_for(launch: Launch, tmp_path: Path) -> None:
    adapter = await launch(IEXEC_BLOCKCHAIN_NODE_ADDRESS=f"http://127.0.0.1:{free_port()}")
    async with asyncio.timeout(20), httpx.AsyncClient() as client:
        while True:
            try:
                health = await client.get(f"http://127.0.0.1:{adapter.port - 10_000}/actuator/health")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            break
    assert health.status_code == 503
    assert health.json()["components"]["chain"]["status"] == "OUT_OF_SERVICE"
    assert adapter.process.returncode is None
    assert await adapter.stop() == 0
