"""Fixtures: a pool on a chain, a config server, and cores on them."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_devnet.processes.ports import free_service_ports
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer

from services.core.tests.process.core_process import PASSWORD, CoreProcess, Pool, Start


@pytest.fixture
def pool(fresh_poco_chain: PocoChain) -> Pool:
    owner = fresh_poco_chain.account("poolOwner")
    address = fresh_poco_chain.market.create_workerpool(owner, "process")
    return Pool(fresh_poco_chain, owner, address, fresh_poco_chain.hub)


@pytest.fixture
async def config_server(pool: Pool) -> AsyncIterator[str]:
    """A config server with the documented HTTP route only."""

    async def chain(_request: Request) -> JSONResponse:
        return JSONResponse(
            {
                "chainId": pool.chain.chain_id,
                "sidechain": False,
                "chainNodeUrl": pool.chain.url,
                "iexecHubContractAddress": pool.hub,
                "blockTime": "PT1S",
            }
        )

    side = HttpServer(
        0, health=Health(), version="1", routes=[Route("/config/chain", chain)], host="127.0.0.1"
    )
    await side.start()
    yield f"http://127.0.0.1:{side.port}"
    await side.stop()


@pytest.fixture
def environment(
    pool: Pool, mongod: Mongod, database_name: str, config_server: str, tmp_path: Path
) -> dict[str, str]:
    """The environment of a core, without its ports."""
    key_store = tmp_path / "wallet.json"
    pool.owner.write_keystore(key_store, PASSWORD, light=True)
    (tmp_path / "password").write_text(PASSWORD + "\n")
    return {
        "PATH": os.environ["PATH"],
        "MONGO_URI": mongod.uri,
        "MONGO_DATABASE": database_name,
        "POOL_ADDRESS": pool.address,
        "IEXEC_CORE_WALLET_PATH": str(key_store),
        "IEXEC_CORE_WALLET_PASSWORD_FILE": str(tmp_path / "password"),
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS": pool.chain.url,
        "IEXEC_CONFIG_SERVER_URL": config_server,
        "IEXEC_CORE_CHAIN_ADAPTER_URL": "http://127.0.0.1:9",
        # The tests reset their chain to an earlier block, so its head looks old.
        "CHAIN_OUTOFSERVICETHRESHOLD": "PT24H",
    }


@pytest.fixture
async def start(environment: dict[str, str], tmp_path: Path) -> AsyncIterator[Start]:
    """`await start(POOL_ADDRESS=…)` starts a core with some variables changed."""
    started: list[CoreProcess] = []

    async def start(**changed: str) -> CoreProcess:
        ports = free_service_ports()
        own = {"IEXEC_CORE_PORT": str(ports.http), "WORKERPOOL_GRPC_PORT": str(ports.grpc)}
        log = tmp_path / f"core-{len(started)}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "workerpool_core",
                env=environment | own | changed,
                stdout=output,
                stderr=output,
            )
        core = CoreProcess(process, f"http://127.0.0.1:{ports.http}", ports.grpc, log)
        started.append(core)
        return core

    yield start
    for core in started:
        with contextlib.suppress(ProcessLookupError):
            core.process.kill()
        await core.process.wait()
        await core.channel.close(None)
