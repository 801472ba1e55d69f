"""The server as a caller sees it: arities, identities, policy, validation, errors, deadlines, limits, health."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from structlog.testing import capture_logs
from workerpool_kit.auth import (
    ANYONE,
    AnyOf,
    BasicAuthenticator,
    BearerAuthenticator,
    Identity,
    current_identity,
)
from workerpool_kit.errors import Kind, Unauthenticated, WorkerpoolError
from workerpool_kit.grpc_client import call, error_info, error_reason, open_channel
from workerpool_kit.grpc_errors import CODES
from workerpool_kit.grpc_server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.process import StartupError
from workerpool_kit.streams import BoundedOutbox

SERVICE = "kit_test.v1.EchoService"
METHODS = tuple(f"/{SERVICE}/{method}" for method in ("Unary", "Fan", "Collect", "Chat"))


def closed_to(*roles: str) -> dict[str, frozenset[str]]:
    return dict.fromkeys(METHODS, frozenset(roles))


OPEN_POLICY = closed_to(ANYONE)


class Echo:
    """Answers every call with what it was given, and who gave it."""

    def __init__(self, contract: Any) -> None:
        self.note = contract.pb2.Note

    async def Unary(self, request: Any, context: Any) -> Any:
        return self.note(text=f"{current_identity().subject}:{request.text}", count=request.count)

    async def Fan(self, request: Any, context: Any) -> Any:
        for number in range(request.count):
            yield self.note(text=request.text, count=number)

    async def Collect(self, requests: Any, context: Any) -> Any:
        texts = [request.text async for request in requests]
        return self.note(text="".join(texts), count=len(texts))

    async def Chat(self, requests: Any, context: Any) -> Any:
        async for request in requests:
            yield self.note(text=f"{current_identity().subject}:{request.text}")


async def test_serves_all_four_arities(contract: Any, serve: Any) -> None:
    server = await serve(Echo(contract))
    note = contract.pb2.Note
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        stub = contract.grpc.EchoServiceStub(channel)
        assert (await stub.Unary(note(text="a", count=7))).count == 7
        assert [n.count async for n in stub.Fan(note(count=3))] == [0, 1, 2]
        assert (await stub.Collect(iter([note(text="a"), note(text="b")]))).text == "ab"
        assert [n.text async for n in stub.Chat(iter([note(text="x"), note(text="y")]))] == [":x", ":y"]


async def test_a_coroutine_that_writes_by_itself_serves_a_stream_too(contract: Any, serve: Any) -> None:
    class Writer(Echo):
        async def Fan(self, request: Any, context: Any) -> None:  # type: ignore[override]
            await context.write(self.note(text="written"))

    server = await serve(Writer(contract))
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        stub = contract.grpc.EchoServiceStub(channel)
        assert [n.text async for n in stub.Fan(contract.pb2.Note())] == ["written"]


class TestIdentity:
    @pytest.fixture
    def authenticator(self) -> AnyOf:
        async def verify(token: str) -> Identity:
            if token != "good":
                raise Unauthenticated("bad token", reason="TOKEN_INVALID")
            return Identity("0xworker", frozenset({"worker"}))

        return AnyOf(BasicAuthenticator("admin", "pässword", "owner"), BearerAuthenticator(verify))

    async def test_basic_credentials_reach_every_arity(
        self, contract: Any, serve: Any, authenticator: AnyOf
    ) -> None:
        server = await serve(Echo(contract), authenticator=authenticator, policy=closed_to("owner"))
        note = contract.pb2.Note
        async with open_channel(f"http://127.0.0.1:{server.port}", basic=("admin", "pässword")) as channel:
            stub = contract.grpc.EchoServiceStub(channel)
            assert (await stub.Unary(note(text="a"))).text == "admin:a"
            assert [n.text async for n in stub.Chat(iter([note(text="x")]))] == ["admin:x"]
            assert [n.text async for n in stub.Fan(note(text="f", count=1))] == ["f"]
            assert (await stub.Collect(iter([note(text="c")]))).text == "c"

    async def test_a_token_is_asked_for_each_call(
        self, contract: Any, serve: Any, authenticator: AnyOf
    ) -> None:
        asked = 0

        async def token() -> str:
            nonlocal asked
            asked += 1
            return "good"

        server = await serve(Echo(contract), authenticator=authenticator, policy=closed_to("worker"))
        async with open_channel(f"127.0.0.1:{server.port}", token=token) as channel:
            stub = contract.grpc.EchoServiceStub(channel)
            await stub.Unary(contract.pb2.Note())
            assert (await stub.Unary(contract.pb2.Note(text="a"))).text == "0xworker:a"
        assert asked == 2

    @pytest.mark.parametrize(
        ("metadata", "code", "reason"),
        [
            ((), grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
            ((("authorization", "Basic bm90OnJpZ2h0"),), grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
            ((("authorization", "Basic %%%"),), grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
            ((("authorization", "Bearer bad"),), grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID"),
            ((("authorization", "Bearer good"),), grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"),
        ],
    )
    async def test_everybody_else_is_refused_on_every_arity(
        self, contract: Any, serve: Any, authenticator: AnyOf, metadata: Any, code: Any, reason: str
    ) -> None:
        server = await serve(Echo(contract), authenticator=authenticator, policy=closed_to("owner"))
        note = contract.pb2.Note()
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            stub = contract.grpc.EchoServiceStub(channel)
            calls: tuple[Callable[[], Awaitable[Any]], ...] = (
                lambda: stub.Unary(note, metadata=metadata),
                lambda: stub.Collect(iter([note]), metadata=metadata),
                lambda: anext(aiter(stub.Fan(note, metadata=metadata))),
                lambda: anext(aiter(stub.Chat(iter([note]), metadata=metadata))),
            )
            for attempt in calls:
                refused = await refusal(attempt)
                assert (refused.code(), error_reason(refused)) == (code, reason)

    async def test_an_open_method_ignores_stale_credentials(
        self, contract: Any, serve: Any, authenticator: AnyOf
    ) -> None:
        server = await serve(Echo(contract), authenticator=authenticator, policy=closed_to(ANYONE))
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            stub = contract.grpc.EchoServiceStub(channel)
            stale = (("authorization", "Bearer old"),)
            assert (await stub.Unary(contract.pb2.Note(text="a"), metadata=stale)).text == ":a"


async def refusal(attempt: Callable[[], Awaitable[Any]]) -> grpc.aio.AioRpcError:
    """How a call is refused. A write that meets a stream which is refused already fails inside the client
    with an INTERNAL of its own before the status is read; such a call is made again."""
    for _ in range(20):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await attempt()
        if refused.value.code() is not grpc.StatusCode.INTERNAL:
            break
    return refused.value


class TestPolicy:
    @pytest.mark.parametrize(
        ("policy", "words"),
        [
            ({}, "no policy for /kit_test.v1.EchoService/Chat"),
            ({**closed_to(ANYONE), "/kit_test.v1.EchoService/Gone": frozenset()}, "not served: .*Gone"),
            (closed_to("owner"), "no authenticator"),
        ],
    )
    async def test_a_wrong_policy_keeps_the_server_from_starting(
        self, contract: Any, serve: Any, policy: Any, words: str
    ) -> None:
        with pytest.raises(ValueError, match=words):
            await serve(Echo(contract), policy=policy)

    async def test_a_taken_port_is_one_sentence(self, contract: Any, serve: Any) -> None:
        server = await serve(Echo(contract))
        with pytest.raises(StartupError, match=f"127.0.0.1:{server.port} for gRPC"):
            await GrpcServer(server.port, host="127.0.0.1", policy={}).start()


class TestErrors:
    @pytest.mark.parametrize("kind", list(Kind))
    async def test_each_kind_has_its_code_reason_and_details(
        self, contract: Any, serve: Any, kind: Kind
    ) -> None:
        class Refused(WorkerpoolError):
            reason = "TASK_LOST"

        Refused.kind = kind

        class Refusing(Echo):
            async def Unary(self, request: Any, context: Any) -> Any:
                raise Refused("look elsewhere", details={"task": 7})

        server = await serve(Refusing(contract))
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError, match="look elsewhere") as refused:
                await contract.grpc.EchoServiceStub(channel).Unary(contract.pb2.Note())
        info = error_info(refused.value)
        assert info is not None
        assert (refused.value.code(), info.reason, info.domain) == (CODES[kind], "TASK_LOST", "workerpool")
        assert dict(info.metadata) == {"task": "7"}

    async def test_an_unexpected_error_is_hidden_behind_an_id_that_is_logged(
        self, contract: Any, serve: Any
    ) -> None:
        class Broken(Echo):
            async def Unary(self, request: Any, context: Any) -> Any:
                raise RuntimeError("the private detail")

        server = await serve(Broken(contract))
        with capture_logs() as events:
            async with open_channel(f"127.0.0.1:{server.port}") as channel:
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await contract.grpc.EchoServiceStub(channel).Unary(contract.pb2.Note())
        info = error_info(refused.value)
        assert info is not None
        assert refused.value.code() is grpc.StatusCode.INTERNAL
        assert "private" not in str(refused.value)
        logged = [event for event in events if event["event"] == "grpc.unexpected_error"]
        assert logged[0]["correlation"] == info.metadata["correlation"]
        assert "private" in str(logged[0]["exc_info"])

    async def test_an_error_after_some_answers_ends_the_stream_with_its_reason(
        self, contract: Any, serve: Any
    ) -> None:
        class Stalling(Echo):
            async def Fan(self, request: Any, context: Any) -> Any:
                outbox: BoundedOutbox[Any] = BoundedOutbox(2)
                yield self.note()
                while outbox.send(self.note()):
                    pass
                async for message in outbox:
                    yield message

        server = await serve(Stalling(contract))
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            answers = aiter(contract.grpc.EchoServiceStub(channel).Fan(contract.pb2.Note()))
            await anext(answers)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await anext(answers)
        assert error_reason(refused.value) == "SLOW_READER"


class TestMessages:
    async def test_every_message_is_validated_on_every_arity(self, contract: Any, serve: Any) -> None:
        server = await serve(Echo(contract))
        good, bad = contract.pb2.Note(text="a"), contract.pb2.Note(count=100_001)
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            stub = contract.grpc.EchoServiceStub(channel)

            async def chat() -> None:
                async for _ in stub.Chat(iter([good, bad])):
                    pass

            for attempt in (
                stub.Unary(bad),
                stub.Collect(iter([good, bad])),
                anext(aiter(stub.Fan(bad))),
                chat(),
            ):
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await attempt
                assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
                assert "count: uint32.lte = 100000" in str(refused.value.details())

    async def test_bytes_that_are_no_message_are_refused_with_a_reason(
        self, contract: Any, serve: Any
    ) -> None:
        server = await serve(Echo(contract))
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            raw = channel.unary_unary(f"/{SERVICE}/Unary")
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await raw(b"\xff\xff\xff")
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert error_reason(refused.value) == "MALFORMED_MESSAGE"

    async def test_a_message_over_the_limit_is_refused(self, contract: Any, serve: Any) -> None:
        server = await serve(Echo(contract), max_message_bytes=1_000)
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await contract.grpc.EchoServiceStub(channel).Unary(contract.pb2.Note(text="a" * 2_000))
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED

    async def test_a_schema_with_an_unknown_rule_is_refused_at_start(self, contract: Any) -> None:
        from workerpool_kit.validation import UnsupportedRule, compile_rules

        with pytest.raises(UnsupportedRule, match=r"kit_test\.v1\.UsesUnknownRule\.value"):
            compile_rules(contract.pb2.UsesUnknownRule.DESCRIPTOR)


class Waiting(Echo):
    """Never answers; tells when a call has begun and when it was cancelled."""

    def __init__(self, contract: Any) -> None:
        super().__init__(contract)
        self.begun, self.cancelled = asyncio.Event(), asyncio.Event()

    async def Unary(self, request: Any, context: Any) -> Any:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def Fan(self, request: Any, context: Any) -> Any:
        yield self.note()
        await self.Unary(request, context)


class TestDeadlines:
    async def test_a_call_without_a_deadline_gets_the_servers(self, contract: Any, serve: Any) -> None:
        servicer = Waiting(contract)
        server = await serve(servicer, default_deadline_s=0.05)
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError, match=r"0\.05 s") as refused:
                await contract.grpc.EchoServiceStub(channel).Unary(contract.pb2.Note())
        assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert servicer.cancelled.is_set()

    async def test_the_callers_own_deadline_wins(self, contract: Any, serve: Any) -> None:
        class Slow(Echo):
            async def Unary(self, request: Any, context: Any) -> Any:
                left = context.time_remaining()
                return self.note(text="plenty" if left > 20 else "short")

        server = await serve(Slow(contract), default_deadline_s=0)
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            method = contract.grpc.EchoServiceStub(channel).Unary
            assert (await call(method, contract.pb2.Note(), timeout_s=30)).text == "plenty"

    async def test_a_timeout_of_the_handlers_own_is_an_internal_error(
        self, contract: Any, serve: Any
    ) -> None:
        class TimingOut(Echo):
            async def Unary(self, request: Any, context: Any) -> Any:
                raise TimeoutError

        server = await serve(TimingOut(contract))
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await contract.grpc.EchoServiceStub(channel).Unary(contract.pb2.Note())
        assert refused.value.code() is grpc.StatusCode.INTERNAL

    async def test_a_caller_that_goes_away_cancels_the_handler(self, contract: Any, serve: Any) -> None:
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


async def test_a_client_that_vanishes_is_no_error(contract: Any, serve: Any) -> None:
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
    async def test_health_is_open_and_follows_the_components(self, contract: Any, serve: Any) -> None:
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
        await channel.close()


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
