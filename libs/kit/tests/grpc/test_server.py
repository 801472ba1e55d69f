"""The server as a caller sees it: arities, deadlines, standard services, many streams at once."""

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from patience import PATIENCE_S
from structlog.testing import capture_logs
from workerpool_kit.access.authenticators import BasicAuthenticator
from workerpool_kit.grpc.client import open_channel
from workerpool_kit.grpc.reflection import SERVICE_NAMES
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
            assert (await method(contract.pb2.Note(), timeout=PATIENCE_S)).text == "plenty"

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
            await asyncio.wait_for(servicer.begun.wait(), PATIENCE_S)
            running.cancel()
            await asyncio.wait_for(servicer.cancelled.wait(), PATIENCE_S)

    async def test_stop_cancels_open_streams_after_the_grace(self, contract: Any, serve: Any) -> None:
        servicer = Waiting(contract)
        server = await serve(servicer)
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            answers = aiter(contract.grpc.EchoServiceStub(channel).Fan(contract.pb2.Note()))
            await anext(answers)
            await asyncio.wait_for(server.stop(0.1), PATIENCE_S)
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
            await asyncio.wait_for(ended.wait(), PATIENCE_S)
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
            await asyncio.wait_for(server.stop(10 * PATIENCE_S), PATIENCE_S)
            assert [a.status async for a in watch] == [health_pb2.HealthCheckResponse.NOT_SERVING]

    async def test_reflection_lists_the_services(self, contract: Any, serve: Any) -> None:
        server = await serve(Echo(contract))
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            ask = reflection_pb2.ServerReflectionRequest(list_services="")
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)
            answer = await anext(aiter(stub.ServerReflectionInfo(iter([ask]))))
        names = {service.name for service in answer.list_services_response.service}
        assert {SERVICE, "grpc.health.v1.Health"} <= names

    async def test_every_standard_call_answers_or_is_unimplemented(self, contract: Any, serve: Any) -> None:
        """Case rpc-health-list and its siblings: no anonymous call of gRPC's own services causes an error log."""
        deny = BasicAuthenticator("a", "b", "owner")
        server = await serve(Echo(contract), authenticator=deny, policy=closed_to("owner"))
        reflections = [
            b"",
            b"\xff\xff",
            *(
                reflection_pb2.ServerReflectionRequest(**question).SerializeToString()
                for question in (
                    {"list_services": "x"},
                    {"file_by_filename": "../../etc/passwd"},
                    {"file_containing_symbol": SERVICE},
                    {"file_containing_symbol": "no.such.Symbol\n"},
                    {"all_extension_numbers_of_type": "no.such.Type"},
                    {"all_extension_numbers_of_type": "google.protobuf.MethodOptions"},
                    {
                        "file_containing_extension": {
                            "containing_type": "no.such.Type",
                            "extension_number": -1,
                        }
                    },
                    {
                        "file_containing_extension": {
                            "containing_type": "google.protobuf.MethodOptions",
                            "extension_number": 7,
                        }
                    },
                )
            ),
        ]
        unary = [
            ("grpc.health.v1.Health/List", {"OK"}),
            ("grpc.health.v1.Health/Check", {"OK"}),
            ("grpc.health.v1.Health/Unknown", {"UNIMPLEMENTED"}),
            ("grpc.channelz.v1.Channelz/GetServers", {"UNIMPLEMENTED"}),
            ("grpc.channelz.v1.Channelz/GetTopChannels", {"UNIMPLEMENTED"}),
            ("grpc.reflection.v1.ServerReflection/Unknown", {"UNIMPLEMENTED"}),
            ("grpc.lb.v1.LoadReporter/ReportLoad", {"UNIMPLEMENTED"}),
            ("envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus", {"UNIMPLEMENTED"}),
        ]
        with capture_logs() as events:
            async with open_channel(f"127.0.0.1:{server.port}") as opened:
                channel: Any = opened
                for method, codes in unary:
                    code = await _code(channel.unary_unary(f"/{method}")(b"", timeout=PATIENCE_S))
                    assert code in codes, method
                for name in SERVICE_NAMES:
                    method = f"/{name}/ServerReflectionInfo"
                    for question in reflections:
                        call: Any = channel.stream_stream(method)(iter([question]), timeout=10)
                        assert await _code(_drained(call)) in {"OK", "INVALID_ARGUMENT"}, (method, question)
                listed = await health_pb2_grpc.HealthStub(channel).List(health_pb2.HealthListRequest())
        assert [event for event in events if event["log_level"] == "error"] == []
        serving = health_pb2.HealthCheckResponse.SERVING
        assert {name: each.status for name, each in listed.statuses.items()} == {
            "": serving,
            "liveness": serving,
            SERVICE: serving,
        }

    async def test_both_versions_of_reflection_give_the_same_descriptors(
        self, contract: Any, serve: Any
    ) -> None:
        server = await serve(Echo(contract))
        question = reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE)
        answers = []
        async with open_channel(f"127.0.0.1:{server.port}") as opened:
            channel: Any = opened
            for name in SERVICE_NAMES:
                method = f"/{name}/ServerReflectionInfo"
                call: Any = channel.stream_stream(method)(iter([question.SerializeToString()]), timeout=10)
                answers.append([message async for message in call])
        assert answers[0] == answers[1] != []


async def _code(call: Any) -> str:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"


async def _drained(call: Any) -> None:
    async for _ in call:
        pass


async def test_a_burst_of_two_thousand_streams_is_served(contract: Any, serve: Any) -> None:
    """With gRPC's default limits of pending requests about one in ten of these fails."""
    server = await serve(Echo(contract))
    channels = [open_channel(f"127.0.0.1:{server.port}", own_subchannel=True) for _ in range(20)]
    # Before the burst keeps this process from answering the handshakes, which gRPC gives 20 s.
    await asyncio.gather(*(channel.channel_ready() for channel in channels))

    async def one(number: int) -> None:
        stub = contract.grpc.EchoServiceStub(channels[number % len(channels)])
        stream = stub.Chat()
        await stream.write(contract.pb2.Note(text="a"))
        assert (await stream.read()).text == ":a"
        await stream.done_writing()

    await asyncio.gather(*(one(number) for number in range(2_000)))
    for channel in channels:
        await channel.close(None)
