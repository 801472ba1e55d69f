"""What workers, schedulers and Spring clients get, over HTTP and gRPC."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from workerpool_kit.grpc.client import error_reason, open_channel
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_protocol.registry.v1 import (
    config_service_pb2,
    config_service_pb2_grpc,
    platform_service_pb2,
    platform_service_pb2_grpc,
)
from workerpool_registry.api import grpc_side, http_side
from workerpool_registry.app.platform import Platform
from workerpool_registry.domain.catalogue import ChainConfig

HUB = "0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f"
CHAIN = ChainConfig(134, True, "https://node.example", HUB, 0.5)


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    (tmp_path / "application.yml").write_text("sms:\n  tdx: http://tdx:13300\nother: 5\n")
    (tmp_path / "application-prod.yml").write_text("sms.scone: http://scone:13300\n")
    platform = Platform(tmp_path)
    platform.load()
    return platform


@pytest.fixture
async def http(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    side = HttpServer(0, health=Health(), version="1", routes=http_side.routes(CHAIN, platform))
    transport = httpx.ASGITransport(app=side.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:
        yield client


@pytest.fixture
async def channel(platform: Platform) -> AsyncIterator[grpc.aio.Channel]:
    server = GrpcServer(0, host="127.0.0.1", policy=grpc_side.POLICY)
    server.add(
        config_service_pb2_grpc.add_ConfigServiceServicer_to_server,
        grpc_side.ConfigServicer(CHAIN),
        grpc_side.CONFIG_SERVICE,
    )
    server.add(
        platform_service_pb2_grpc.add_PlatformServiceServicer_to_server,
        grpc_side.PlatformServicer(platform),
        grpc_side.PLATFORM_SERVICE,
    )
    await server.start()
    async with open_channel(f"127.0.0.1:{server.port}", own_subchannel=True) as opened:
        yield opened
    await server.stop(grace_s=0)


async def test_the_chain_over_http(http: httpx.AsyncClient) -> None:
    assert (await http.get("/config/chain")).json() == {
        "chainId": 134,
        "sidechain": True,
        "chainNodeUrl": "https://node.example",
        "iexecHubContractAddress": HUB,
        "blockTime": "PT0.5S",
    }


async def test_a_stack_as_spring_clients_read_it(http: httpx.AsyncClient) -> None:
    answer: dict[str, Any] = (await http.get("/application/prod")).json()
    assert (answer["name"], answer["profiles"], answer["label"]) == ("application", ["prod"], None)
    assert answer["propertySources"] == [
        {"name": "application-prod.yml", "source": {"sms.scone": "http://scone:13300"}},
        {"name": "application.yml", "source": {"sms.tdx": "http://tdx:13300", "other": 5}},
    ]
    assert (await http.get("/application/prod/some/label")).json()["propertySources"] == []


async def test_the_chain_over_grpc(channel: grpc.aio.Channel) -> None:
    stub = config_service_pb2_grpc.ConfigServiceStub(channel)
    chain = (await stub.GetChain(config_service_pb2.GetChainRequest())).chain
    assert (chain.chain_id, chain.hub_address, chain.block_time.ToMilliseconds()) == (134, HUB, 500)


async def test_a_stack_over_grpc_now_and_after_an_edit(
    channel: grpc.aio.Channel, platform: Platform, tmp_path: Path
) -> None:
    stub = platform_service_pb2_grpc.PlatformServiceStub(channel)
    watching = stub.WatchStack(platform_service_pb2.WatchStackRequest(stack="prod"))
    first = (await watching.read()).stack
    assert {each.framework: each.url for each in first.sms_locations} == {
        platform_service_pb2.TEE_FRAMEWORK_SCONE: "http://scone:13300",
        platform_service_pb2.TEE_FRAMEWORK_TDX: "http://tdx:13300",
    }
    (tmp_path / "application-prod.yml").write_text("sms.gramine: http://gramine:13300\n")
    await platform.refresh()
    second = (await watching.read()).stack
    watching.cancel()
    assert second.version != first.version
    again = (await stub.GetStack(platform_service_pb2.GetStackRequest(stack="prod"))).stack
    assert again == second


@pytest.mark.parametrize(
    ("stack", "code", "reason"),
    [
        ("staging", grpc.StatusCode.NOT_FOUND, "STACK_NOT_FOUND"),
        ("no/slash", grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT"),
    ],
)
async def test_a_wrong_stack_is_refused(
    channel: grpc.aio.Channel, stack: str, code: grpc.StatusCode, reason: str
) -> None:
    stub = platform_service_pb2_grpc.PlatformServiceStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.GetStack(platform_service_pb2.GetStackRequest(stack=stack))
    assert (refused.value.code(), error_reason(refused.value)) == (code, reason)
