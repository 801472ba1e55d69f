"""Access to methods: identities, policies, and limits of public streams."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import grpc
import pytest
from patience import PATIENCE_S
from structlog.testing import capture_logs
from workerpool_kit.access.authenticators import (
    ANYONE,
    OPERATOR,
    AnyOf,
    BasicAuthenticator,
    BearerAuthenticator,
    Identity,
)
from workerpool_kit.access.wrong_passwords import ALLOWED, PAUSE_S
from workerpool_kit.errors import Unauthenticated
from workerpool_kit.grpc.client import error_info, error_reason, open_channel
from workerpool_kit.grpc.guard import always_open
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.process import StartupError

from .echo import Echo, Waiting, closed_to


async def refusal(attempt: Callable[[], Awaitable[Any]]) -> grpc.aio.AioRpcError:
    """Return the refusal of a call. A client that writes to a refused stream may fail with INTERNAL before it reads the
    status; such a call is repeated."""
    for _ in range(20):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await attempt()
        if refused.value.code() is not grpc.StatusCode.INTERNAL:
            break
    return refused.value


async def _good_token() -> str:
    return "good"


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

    async def test_an_address_with_too_many_wrong_passwords_waits_and_no_other(
        self, contract: Any, serve: Any, authenticator: AnyOf
    ) -> None:
        server = await serve(Echo(contract), authenticator=authenticator, policy=closed_to("owner"))
        note = contract.pb2.Note(text="a")

        async def ask(password: str, address: str) -> str:
            # The server believes a reverse proxy of this host.
            proxied = grpc.aio.Metadata(("x-forwarded-for", address))
            async with open_channel(f"127.0.0.1:{server.port}", basic=("admin", password)) as channel:
                answer = await contract.grpc.EchoServiceStub(channel).Unary(note, metadata=proxied)
                return str(answer.text)

        for _ in range(ALLOWED):
            wrong = await refusal(partial(ask, "guess", "203.0.113.7"))
            assert error_reason(wrong) == "UNAUTHENTICATED"
        for password in ("guess", "pässword"):
            waits = await refusal(partial(ask, password, "203.0.113.7"))
            assert waits.code() is grpc.StatusCode.UNAUTHENTICATED
            info = error_info(waits)
            assert info is not None
            assert info.reason == "TOO_MANY_WRONG_PASSWORDS"
            assert 1 <= int(info.metadata["retry_after_s"]) <= PAUSE_S
        assert await ask("pässword", "203.0.113.8") == "admin:a"
        async with open_channel(f"127.0.0.1:{server.port}", token=_good_token) as channel:
            with pytest.raises(grpc.aio.AioRpcError, match="needs the role owner"):
                await contract.grpc.EchoServiceStub(channel).Unary(
                    note, metadata=grpc.aio.Metadata(("x-forwarded-for", "203.0.113.7"))
                )

    async def test_an_operators_order_and_a_refusal_are_audited(self, contract: Any, serve: Any) -> None:
        authenticator = BasicAuthenticator("ops", "right", OPERATOR)
        server = await serve(Echo(contract), authenticator=authenticator, policy=closed_to(OPERATOR))
        note = contract.pb2.Note
        with capture_logs() as lines:
            for password in ("right", "wrong"):
                async with open_channel(f"127.0.0.1:{server.port}", basic=("ops", password)) as channel:
                    with suppress(grpc.aio.AioRpcError):
                        await contract.grpc.EchoServiceStub(channel).Unary(note(text="a"))
        order, refused = [line for line in lines if line["event"].startswith("audit.")]
        assert (order["who"], order["request"], order["outcome"]) == ("ops", 'text: "a"', "OK")
        assert refused["event"] == "audit.access_refused"
        assert order["method"] == refused["method"]
        assert order["peer"].startswith("ipv4:127.0.0.1:")
        assert refused["peer"].startswith("ipv4:127.0.0.1:")
        assert "wrong" not in str(refused).replace(refused["message"], "")

    async def test_a_token_is_requested_for_each_call(
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
    async def test_other_callers_are_refused_on_every_arity(
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

    async def test_public_method_ignores_expired_credentials(
        self, contract: Any, serve: Any, authenticator: AnyOf
    ) -> None:
        server = await serve(Echo(contract), authenticator=authenticator, policy=closed_to(ANYONE))
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            stub = contract.grpc.EchoServiceStub(channel)
            stale = (("authorization", "Bearer old"),)
            assert (await stub.Unary(contract.pb2.Note(text="a"), metadata=stale)).text == ":a"


class TestStreamsOfStrangers:
    async def test_open_streams_of_a_public_method_are_limited(self, contract: Any, serve: Any) -> None:
        server = await serve(Waiting(contract), max_open_streams=2)
        note = contract.pb2.Note()
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            stub = contract.grpc.EchoServiceStub(channel)
            held = [stub.Fan(note), stub.Fan(note)]
            for stream in held:
                await stream.read()
            refused = await refusal(lambda: anext(aiter(stub.Fan(note))))
            assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert error_reason(refused) == "TOO_MANY_STREAMS"
            # Each method has places of its own, and one that was left is free again.
            assert (await stub.Collect(iter([note]))).count == 1
            held.pop().cancel()
            async with asyncio.timeout(PATIENCE_S):
                while await _is_refused(stub.Fan(note)):
                    pass

    async def test_streams_of_a_method_with_a_role_are_not_limited(self, contract: Any, serve: Any) -> None:
        owner = BasicAuthenticator("pool", "secret", "owner")
        server = await serve(
            Waiting(contract), authenticator=owner, policy=closed_to("owner"), max_open_streams=0
        )
        async with open_channel(f"127.0.0.1:{server.port}", basic=("pool", "secret")) as channel:
            await contract.grpc.EchoServiceStub(channel).Fan(contract.pb2.Note()).read()


async def _is_refused(stream: Any) -> bool:
    try:
        await stream.read()
    except grpc.aio.AioRpcError:
        return True
    return False


class TestPolicy:
    @pytest.mark.parametrize(
        ("policy", "words"),
        [
            ({}, "no policy for /kit_test.v1.EchoService/Chat"),
            ({**closed_to(ANYONE), "/kit_test.v1.EchoService/Gone": frozenset()}, "not served: .*Gone"),
            (closed_to("owner"), "no authenticator"),
        ],
    )
    async def test_server_does_not_start_with_a_wrong_policy(
        self, contract: Any, serve: Any, policy: Any, words: str
    ) -> None:
        with pytest.raises(ValueError, match=words):
            await serve(Echo(contract), policy=policy)

    async def test_taken_port_is_named_in_one_sentence(self, contract: Any, serve: Any) -> None:
        server = await serve(Echo(contract))
        with pytest.raises(StartupError, match=f"127.0.0.1:{server.port} for gRPC"):
            await GrpcServer(server.port, host="127.0.0.1", policy={}).start()


@pytest.mark.parametrize(
    ("method", "public"),
    [
        ("/grpc.health.v1.Health/Check", True),
        ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", True),
        ("/workerpool.grpc.health.v1.Health/Check", False),
    ],
)
def test_only_the_services_of_grpc_itself_are_always_public(method: str, public: bool) -> None:
    assert always_open(method) is public
