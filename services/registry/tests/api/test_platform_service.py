"""Stacks over gRPC, by a server that is wired as in the process."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from workerpool_devnet.processes.ports import free_service_ports
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.grpc.client import error_reason, open_channel
from workerpool_protocol.registry.v1 import platform_service_pb2 as pb
from workerpool_protocol.registry.v1.platform_service_pb2_grpc import PlatformServiceStub
from workerpool_registry.api import platform_service
from workerpool_registry.app.platform import Platform
from workerpool_registry.composition import grpc_server
from workerpool_registry.settings import RegistrySettings


@pytest.fixture
async def stub(chain: ChainConfig, platform: Platform) -> AsyncIterator[Any]:
    server = grpc_server(
        RegistrySettings(grpc_bind="127.0.0.1", grpc_port=free_service_ports().grpc), chain, platform
    )
    await server.start()
    async with open_channel(f"127.0.0.1:{server.port}", own_subchannel=True) as channel:
        yield PlatformServiceStub(channel)
    await server.stop(grace_s=0)


async def test_stack_is_reported_now_and_after_an_edit(stub: Any, platform: Platform, tmp_path: Path) -> None:
    watching = stub.WatchStack(pb.WatchStackRequest(stack="prod"))
    first = (await watching.read()).stack
    assert {each.framework: each.url for each in first.sms_locations} == {
        pb.TEE_FRAMEWORK_SCONE: "http://scone:13300",
        pb.TEE_FRAMEWORK_TDX: "http://tdx:13300",
    }
    (tmp_path / "application-prod.yml").write_text("sms.gramine: http://gramine:13300\n")
    await platform.refresh()
    second = (await watching.read()).stack
    watching.cancel()
    assert second.version != first.version
    assert (await stub.GetStack(pb.GetStackRequest(stack="prod"))).stack == second


@pytest.mark.parametrize(
    ("stack", "code", "reason"),
    [
        ("staging", grpc.StatusCode.NOT_FOUND, "STACK_NOT_FOUND"),
        ("no/slash", grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT"),
    ],
)
async def test_unknown_or_invalid_stack_is_refused(
    stub: Any, stack: str, code: grpc.StatusCode, reason: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.GetStack(pb.GetStackRequest(stack=stack))
    assert (refused.value.code(), error_reason(refused.value)) == (code, reason)


def test_every_method_is_public() -> None:
    assert set(platform_service.POLICY.values()) == {frozenset({"anyone"})}
