"""The scheduler as a process: its error messages, and what survives a kill."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import http_calls
import pymongo
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from workerpool_devnet.market.trading import Deal, Purchase
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_devnet.processes.ports import free_service_ports
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_kit.grpc.client import error_reason, open_channel
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_poco.chain.wallet import Wallet
from workerpool_protocol.core.v1 import task_service_pb2 as pb
from workerpool_protocol.core.v1.task_service_pb2_grpc import TaskServiceStub

PASSWORD = "key store password"
LONG_S = 40.0


@dataclass
class CoreProcess:
    """One core process with its log."""

    process: asyncio.subprocess.Process
    http: str
    grpc_port: int
    log: Path
    channel: grpc.aio.Channel = field(init=False)

    def __post_init__(self) -> None:
        self.channel = open_channel(f"127.0.0.1:{self.grpc_port}", own_subchannel=True)
        self.tasks: Any = TaskServiceStub(self.channel)

    async def health(self) -> tuple[int, dict[str, Any]]:
        """Return status and body of its health, once it listens."""
        async with asyncio.timeout(LONG_S):
            while True:
                with contextlib.suppress(aiohttp.ClientConnectionError):
                    answer = await http_calls.get(f"{self.http}/actuator/health")
                    return answer.status, answer.json()
                assert self.process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.05)

    async def up(self) -> None:
        """Wait until its health is UP."""
        async with asyncio.timeout(LONG_S):
            while (await self.health())[0] != 200:
                await asyncio.sleep(0.05)

    async def task(self, task_id: str) -> Any:
        """Wait until a task is known and return it."""
        async with asyncio.timeout(LONG_S):
            while True:
                try:
                    return (await self.tasks.GetTask(pb.GetTaskRequest(task_id=task_id), timeout=5)).task
                except grpc.aio.AioRpcError as error:
                    if error.code() not in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE):
                        raise
                    await asyncio.sleep(0.05)

    async def exit(self) -> tuple[int, str]:
        """Wait for its end; return its exit code and its log."""
        code = await asyncio.wait_for(self.process.wait(), LONG_S)
        return code, self.log.read_text()


Start = Callable[..., Awaitable[CoreProcess]]


@dataclass
class Pool:
    """A workerpool on the chain and its owner."""

    chain: PocoChain
    owner: Wallet
    address: str
    hub: str

    def buy(self) -> Deal:
        requester = self.chain.account("requester")
        app = self.chain.market.create_app(requester, f"app of {self.address}", "image:1")
        (deal,) = self.chain.market.buy(
            Purchase(
                requester=requester,
                app=app,
                app_owner=requester,
                workerpool=self.address,
                pool_owner=self.owner,
            )
        )
        return deal


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


async def test_a_wrong_wallet_password_is_named(start: Start, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("wrong")
    code, output = await (await start(IEXEC_CORE_WALLET_PASSWORD_FILE=str(tmp_path / "wrong"))).exit()
    assert code == 1
    assert "does not open the wallet" in output
    assert "IEXEC_CORE_WALLET_PASSWORD" in output
    assert "Traceback" not in output


async def test_a_wrong_pool_address_is_named(start: Start) -> None:
    nowhere = Wallet.create().address
    code, output = await (await start(POOL_ADDRESS=nowhere)).exit()
    assert code == 1
    assert "wrong pool address" in output
    assert nowhere in output
    assert "Traceback" not in output


async def test_a_pool_of_another_owner_is_named_with_both_wallets(start: Start, pool: Pool) -> None:
    other_owner = await asyncio.to_thread(pool.chain.account, "spare")
    foreign = await asyncio.to_thread(pool.chain.market.create_workerpool, other_owner, "foreign")
    code, output = await (await start(POOL_ADDRESS=foreign)).exit()
    assert code == 1
    assert other_owner.address in output
    assert pool.owner.address in output


async def test_a_missing_hub_is_named(start: Start, pool: Pool, config_server: str) -> None:
    pool.hub = Wallet.create().address
    code, output = await (await start()).exit()
    assert code == 1
    assert "no PoCo hub" in output


async def test_invalid_settings_are_named_before_the_start(start: Start) -> None:
    code, output = await (await start(IEXEC_CORE_PORT="many")).exit()
    assert code == 2
    assert "IEXEC_CORE_PORT" in output


@pytest.mark.parametrize(
    ("variable", "waits_for"),
    [("IEXEC_BLOCKCHAIN_NODE_ADDRESS", "blockchain node"), ("IEXEC_CONFIG_SERVER_URL", "config server")],
)
async def test_an_unreachable_dependency_is_retried(start: Start, variable: str, waits_for: str) -> None:
    core = await start(**{variable: "http://127.0.0.1:9"})
    status, body = await core.health()
    assert (status, body["status"]) == (503, "OUT_OF_SERVICE")
    async with asyncio.timeout(LONG_S):
        while True:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await core.tasks.GetTask(pb.GetTaskRequest(task_id="0x" + "00" * 32), timeout=10)
            if waits_for in str(refused.value.details()):
                break
            await asyncio.sleep(0.05)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert error_reason(refused.value) == "SERVICE_STARTING"
    stub = health_pb2_grpc.HealthStub(core.channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
    core.process.send_signal(signal.SIGTERM)
    assert (await core.exit())[0] == 0


async def test_nothing_is_lost_by_a_kill(start: Start, pool: Pool) -> None:
    first = await start()
    await first.up()
    deal = await asyncio.to_thread(pool.buy)
    task_id = deal.task_ids[0]
    before = await first.task(task_id)
    first.process.kill()
    await first.process.wait()
    second = await start()
    await second.up()
    after = await second.task(task_id)
    assert list(after.history[: len(before.history)]) == list(before.history)
    second.process.send_signal(signal.SIGTERM)
    code, output = await second.exit()
    assert code == 0
    assert "Traceback" not in output


async def test_a_deal_made_while_core_was_down_is_found(start: Start, pool: Pool) -> None:
    first = await start()
    await first.up()
    first.process.kill()
    await first.process.wait()
    deal = await asyncio.to_thread(pool.buy)
    second = await start()
    task = await second.task(deal.task_ids[0])
    assert task.deal_block == deal.block_number


async def test_only_one_core_may_use_a_database(start: Start, pool: Pool) -> None:
    first = await start()
    await first.up()
    second = await start()
    await second.up()
    await asyncio.to_thread(pool.buy)
    ended, _ = await asyncio.wait(
        {asyncio.create_task(core.process.wait()) for core in (first, second)},
        timeout=LONG_S,
        return_when=asyncio.FIRST_COMPLETED,
    )
    assert {task.result() for task in ended} == {1}


async def run_command(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Run `workerpool-core` with arguments; return its exit code and its output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "workerpool_core",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), LONG_S)
    assert process.returncode is not None
    return process.returncode, output.decode()


async def stopped(core: CoreProcess) -> str:
    """Stop a core and return its log."""
    core.process.send_signal(signal.SIGTERM)
    code, log = await core.exit()
    assert code == 0
    return log


async def followed_from(core: CoreProcess) -> int:
    """Return the first block that a core follows, then stop it."""
    await core.up()
    (line,) = [line for line in (await stopped(core)).splitlines() if "follower.started" in line]
    return int(json.loads(line)["block"]) + 1


async def test_reset_cursor_lets_the_next_start_follow_from_a_block(
    start: Start, environment: dict[str, str]
) -> None:
    assert await followed_from(await start()) == 0
    code, output = await run_command(environment, "reset-cursor", "--to", "3")
    assert code == 0, output
    assert "from block 3" in output
    assert await followed_from(await start(IEXEC_START_BLOCK_NUMBER="1")) == 3


async def test_reset_cursor_is_refused_while_core_runs(start: Start, environment: dict[str, str]) -> None:
    core = await start()
    await core.up()
    code, output = await run_command(environment, "reset-cursor", "--to", "3")
    assert code == 1
    assert "stop it first" in output
    assert core.process.returncode is None


async def test_reset_cursor_explains_itself(environment: dict[str, str]) -> None:
    code, output = await run_command(environment, "reset-cursor", "--help")
    assert code == 0
    assert "--to N" in output
    code, output = await run_command(environment, "reset-cursor", "--to", "-1")
    assert code == 2
    assert "--to" in output


async def test_a_deleted_cursor_lets_the_next_start_follow_from_the_start_block(
    start: Start, mongod: Mongod, database_name: str
) -> None:
    core = await start()
    with pymongo.MongoClient[dict[str, Any]](mongod.uri) as client:
        async with asyncio.timeout(LONG_S):
            while client[database_name]["cursor"].find_one() is None:
                await asyncio.sleep(0.05)
        await stopped(core)
        assert client[database_name]["cursor"].delete_many({}).deleted_count == 1
    assert await followed_from(await start(IEXEC_START_BLOCK_NUMBER="2")) == 2


async def test_an_ignored_start_block_is_logged(start: Start, environment: dict[str, str]) -> None:
    code, output = await run_command(environment, "reset-cursor", "--to", "3")
    assert code == 0, output
    core = await start(IEXEC_START_BLOCK_NUMBER="2")
    await core.up()
    log = await stopped(core)
    assert "start_block.ignored" in log
    assert "reset-cursor" in log
