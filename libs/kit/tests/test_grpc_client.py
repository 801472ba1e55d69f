"""Calls and channels that outlast a restart of the server."""

from typing import Any, ClassVar

import grpc
import pytest
from workerpool_kit.grpc.client import call, open_channel
from workerpool_kit.grpc.server import GrpcServer

from .echo import OPEN_POLICY, SERVICE, Echo


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
