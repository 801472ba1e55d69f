"""The wiring: both ports serve until the stop, and health names a node that does not answer."""

import asyncio
from pathlib import Path

import http_calls
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_devnet.processes.ports import free_service_ports
from workerpool_kit.process import Lifetime
from workerpool_kit.settings.environment import load
from workerpool_sms.composition import serve
from workerpool_sms.settings import SmsSettings


async def serves(url: str) -> bool:
    try:
        return (await http_calls.get(url)).status == 200
    except OSError:
        return False


async def test_both_ports_serve_until_the_stop(mongod: Mongod, tmp_path: Path) -> None:
    ports, lifetime = free_service_ports(), Lifetime()
    environ = {
        "IEXEC_SMS_PORT": str(ports.http),
        "WORKERPOOL_GRPC_PORT": str(ports.grpc),
        "MONGO_URI": mongod.uri,
        "MONGO_DATABASE": mongod.new_name("sms"),
        "IEXEC_CHAIN_ID": "65535",
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS": "http://127.0.0.1:1",
        "IEXEC_HUB_ADDRESS": "0x" + "11" * 20,
        "IEXEC_SMS_STORAGE_ENCRYPTION_AES_KEY_PATH": str(tmp_path / "sms.key"),
        "WORKERPOOL_SMS_ALLOW_UNATTESTED_SESSIONS": "true",
    }
    url = f"http://127.0.0.1:{ports.http}"
    async with asyncio.timeout(60):
        serving = asyncio.ensure_future(serve(load(SmsSettings, environ), lifetime))
        while not await serves(f"{url}/tee/framework"):
            await asyncio.sleep(0.02)
        head = await http_calls.request("HEAD", f"{url}/secrets/web3?secretAddress=0x" + "22" * 20)
        health = (await http_calls.get(f"{url}/actuator/health")).json()
        lifetime.stop("the test is over")
        await serving
        await lifetime.cancel_spawned()
    assert head.status == 404
    assert health["components"]["chain"]["status"] != "UP"
