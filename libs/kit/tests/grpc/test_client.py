"""Calls and channels that outlast a restart of the server."""

from typing import Any, ClassVar

import grpc
import pytest
from patience import PATIENCE_S
from workerpool_kit.grpc.client import open_channel
from workerpool_kit.grpc.server import GrpcServer

from .echo import OPEN_POLICY, SERVICE, Echo


class Flaky(Echo):
    attempts: ClassVar[int] = 0

    async def Unary(self, request: Any, context: Any) -> Any:
        Flaky.attempts += 1
        if Flaky.attempts < 3:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        return self.note(text="there")


async def test_only_calls_of_idempotent_services_are_retried(contract: Any, serve: Any) -> None:
    server = await serve(Flaky(contract))
    target = f"127.0.0.1:{server.port}"
    async with open_channel(target) as once, open_channel(target, idempotent=[SERVICE]) as retried:
        with pytest.raises(grpc.aio.AioRpcError):
            await contract.grpc.EchoServiceStub(once).Unary(contract.pb2.Note(), timeout=PATIENCE_S)
        assert Flaky.attempts == 1
        answer = await contract.grpc.EchoServiceStub(retried).Unary(contract.pb2.Note(), timeout=PATIENCE_S)
    assert answer.text == "there"
    assert Flaky.attempts == 3


async def test_a_channel_finds_a_restarted_server_within_seconds(contract: Any, serve: Any) -> None:
    first = await serve(Echo(contract))
    async with open_channel(f"127.0.0.1:{first.port}") as channel:
        method = contract.grpc.EchoServiceStub(channel).Unary
        await method(contract.pb2.Note(), timeout=PATIENCE_S)
        await first.stop(0)
        with pytest.raises(grpc.aio.AioRpcError):
            await method(contract.pb2.Note(), timeout=PATIENCE_S)
        second = GrpcServer(first.port, host="127.0.0.1", policy=OPEN_POLICY)
        second.add(contract.grpc.add_EchoServiceServicer_to_server, Echo(contract), SERVICE)
        await second.start()
        answer = await method(contract.pb2.Note(text="back"), timeout=PATIENCE_S, wait_for_ready=True)
        await second.stop(0)
    assert answer.text == ":back"
