"""Targets: the documented spelling of a service's address, and what gRPC needs; calls that outlast a restart."""

from typing import Any, ClassVar

import grpc
import pytest
from workerpool_kit.grpc.client import call, grpc_target_of, open_channel
from workerpool_kit.grpc.server import GrpcServer

from .echo import OPEN_POLICY, SERVICE, Echo


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://localhost:13010", "localhost:23010"),
        ("http://localhost:13010/", "localhost:23010"),
        ("core:13000", "core:23000"),
        ("http://[::1]:8888", "[::1]:18888"),
        ("https://pool.example:13000", "https://pool.example:23000"),
    ],
)
def test_grpc_listens_ten_thousand_above_the_documented_port(url: str, target: str) -> None:
    assert grpc_target_of(url) == target


@pytest.mark.parametrize("url", ["http://localhost", "localhost", "http://localhost:60000", ""])
def test_a_url_without_a_usable_port_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="a URL with a host and a port"):
        grpc_target_of(url)


@pytest.mark.parametrize("target", ["localhost", "ftp://localhost:1", ""])
async def test_a_wrong_target_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="expected host:port"):
        open_channel(target)


class Flaky(Echo):
    attempts: ClassVar[int] = 0

    async def Unary(self, request: Any, context: Any) -> Any:
        Flaky.attempts += 1
        if Flaky.attempts < 3:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        return self.note(text="there")


async def test_call_repeats_while_the_server_is_unavailable(contract: Any, serve: Any) -> None:
    server = await serve(Flaky(contract))
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        method = contract.grpc.EchoServiceStub(channel).Unary
        with pytest.raises(grpc.aio.AioRpcError):
            await call(method, contract.pb2.Note(), timeout_s=5)
        answer = await call(method, contract.pb2.Note(), timeout_s=5, retry_unavailable_for_s=5)
    assert answer.text == "there"


async def test_a_channel_finds_a_restarted_server_within_seconds(contract: Any, serve: Any) -> None:
    first = await serve(Echo(contract))
    async with open_channel(f"127.0.0.1:{first.port}") as channel:
        method = contract.grpc.EchoServiceStub(channel).Unary
        await call(method, contract.pb2.Note(), timeout_s=5)
        await first.stop(0)
        with pytest.raises(grpc.aio.AioRpcError):
            await call(method, contract.pb2.Note(), timeout_s=5)
        second = GrpcServer(first.port, host="127.0.0.1", policy=OPEN_POLICY)
        second.add(contract.grpc.add_EchoServiceServicer_to_server, Echo(contract), SERVICE)
        await second.start()
        answer = await call(method, contract.pb2.Note(text="back"), timeout_s=5, retry_unavailable_for_s=5)
        await second.stop(0)
    assert answer.text == ":back"
