"""The server as a caller sees it: arities, deadlines, standard services, many streams at once."""

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from structlog.testing import capture_logs
from workerpool_kit.access.authenticators import BasicAuthenticator
from workerpool_kit.grpc.client import open_channel
from workerpool_kit.health import Health

from .echo import SERVICE, Echo, Waiting, closed_to


async def test_serves_all_four_arities(contract: Any, serve: Any) -> None:
    server = await serve(Echo(contract))
    note = contract.pb2.Note
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        stub = contract.grpc.EchoServiceStub(channel)
        assert (await stub.Unary(note(text="a", count=7))).count == 7
        assert [n.count async for n in stub.Fan(note(count=3))] == [0, 1, 2]
        assert (await stub.Collect(iter([note(text="a"), note(text="b")]))).text == "ab"
        assert [n.text async for n in stub.Chat(iter([note(text="x"), note(text="y")]))] == [":x", ":y"]


async def test_coroutine_that_calls_write_serves_a_stream(contract: Any, serve: Any) -> None:
    class Writer(Echo):
        async def Fan(self, request: Any, context: Any) -> None:
            await context.write(self.note(text="written"))

    server = await serve(Writer(contract))
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        stub = contract.grpc.EchoServiceStub(channel)
        assert [n.text async for n in stub.Fan(contract.pb2.Note())] == ["written"]


class TestDeadlines:
    async def test_call_without_a_deadline_gets_the_default_one(self, contract: Any, serve: Any) -> None:
        servicer = Waiting(contract)
        server = await serve(servicer, default_deadline_s=0.05)
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError, match=r"0\.05 s") as refused:
                await contract.grpc.EchoServiceStub(channel).Unary(contract.pb2.Note())
        assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert servicer.cancelled.is_set()

    async def test_deadline_of_the_caller_overrides_the_default(self, contract: Any, serve: Any) -> None:
        class Slow(Echo):
            async def Unary(self, request: Any, context: Any) -> Any:
                left = context.time_remaining()
                return self.note(text="plenty" if left > 20 else "short")

        server = await serve(Slow(contract), default_deadline_s=0)
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            method = contract.grpc.EchoServiceStub(channel).Unary
            assert (await method(contract.pb2.Note(), timeout=30)).text == "plenty"

    async def test_timeout_inside_a_handler_is_an_internal_error(self, contract: Any, serve: Any) -> None:
        class TimingOut(Echo):
            async def Unary(self, request: Any, context: Any) -> Any:
                raise TimeoutError

        server = await serve(TimingOut(contract))
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await contract.grpc.EchoServiceStub(channel).Unary(contract.pb2.Note())
        assert refused.value.code() is grpc.StatusCode.INTERNAL

    async def test_disconnect_cancels_the_handler(self, contract: Any, serve: Any) -> None:
        servicer = Waiting(contract)
        server = await serve(servicer)
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            running = contract.grpc.EchoServiceStub(channel).Unary(contract.pb2.Note())
            await asyncio.wait_for(servicer.begun.wait(), 5)
            running.cancel()
            await asyncio.wait_for(servicer.cancelled.wait(), 5)

    async def test_stop_cancels_open_streams_after_the_grace(self, contract: Any, serve: Any) -> None:
        servicer = Waiting(contract)
        server = await serve(servicer)
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            answers = aiter(contract.grpc.EchoServiceStub(channel).Fan(contract.pb2.Note()))
            await anext(answers)
            await asyncio.wait_for(server.stop(0.1), 3)
            with pytest.raises(grpc.aio.AioRpcError):
                await anext(answers)
        assert servicer.cancelled.is_set()


async def test_disconnect_is_not_logged_as_an_error(contract: Any, serve: Any) -> None:
    ended = asyncio.Event()

    class Endless(Echo):
        async def Fan(self, request: Any, context: Any) -> Any:
            try:
                while True:
                    yield self.note(text="x" * 1_000)
            finally:
                ended.set()

    server = await serve(Endless(contract))
    with capture_logs() as events:
        for _ in range(5):
            ended.clear()
            async with open_channel(f"127.0.0.1:{server.port}", own_subchannel=True) as channel:
                await anext(aiter(contract.grpc.EchoServiceStub(channel).Fan(contract.pb2.Note())))
            await asyncio.wait_for(ended.wait(), 5)
    assert [event for event in events if event["log_level"] == "error"] == []


class TestStandardServices:
    async def test_health_is_public_and_follows_the_components(self, contract: Any, serve: Any) -> None:
        deny = BasicAuthenticator("a", "b", "owner")
        server = await serve(Echo(contract), authenticator=deny, policy=closed_to("owner"))
        health = Health()
        server.follow(health)
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            watch = aiter(stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE)))
            assert (await anext(watch)).status == health_pb2.HealthCheckResponse.SERVING
            health.set("chain", up=False)
            assert (await anext(watch)).status == health_pb2.HealthCheckResponse.NOT_SERVING
            answer = await stub.Check(health_pb2.HealthCheckRequest())
            assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.Check(health_pb2.HealthCheckRequest(service="nobody"))
            assert refused.value.code() is grpc.StatusCode.NOT_FOUND

    async def test_watchers_do_not_delay_a_stop(self, contract: Any, serve: Any) -> None:
        server = await serve(Echo(contract))
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            watch = aiter(health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest()))
            await anext(watch)
            await asyncio.wait_for(server.stop(30), 5)
            assert [a.status async for a in watch] == [health_pb2.HealthCheckResponse.NOT_SERVING]

    async def test_reflection_lists_the_services(self, contract: Any, serve: Any) -> None:
        server = await serve(Echo(contract))
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            ask = reflection_pb2.ServerReflectionRequest(list_services="")
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)
            answer = await anext(aiter(stub.ServerReflectionInfo(iter([ask]))))
        names = {service.name for service in answer.list_services_response.service}
        assert {SERVICE, "grpc.health.v1.Health"} <= names


async def test_a_burst_of_two_thousand_streams_is_served(contract: Any, serve: Any) -> None:
    """With gRPC's default limits of pending requests about one in ten of these fails."""
    server = await serve(Echo(contract))
    channels = [open_channel(f"127.0.0.1:{server.port}", own_subchannel=True) for _ in range(20)]

    async def one(number: int) -> None:
        stub = contract.grpc.EchoServiceStub(channels[number % len(channels)])
        stream = stub.Chat()
        await stream.write(contract.pb2.Note(text="a"))
        assert (await stream.read()).text == ":a"
        await stream.done_writing()

    await asyncio.gather(*(one(number) for number in range(2_000)))
    for channel in channels:
        await channel.close(None)
