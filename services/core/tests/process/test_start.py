"""What a start names, and what it waits for."""

import asyncio
import signal
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from patience import PATIENCE_S
from workerpool_kit.grpc.client import error_reason
from workerpool_poco.chain.wallet import Wallet
from workerpool_protocol.core.v1 import task_service_pb2 as pb

from services.core.tests.process.core_process import Pool, Start


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
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await core.tasks.GetTask(pb.GetTaskRequest(task_id="0x" + "00" * 32), timeout=PATIENCE_S)
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
