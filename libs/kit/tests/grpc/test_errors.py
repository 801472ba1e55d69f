"""Refusals of calls: codes, reasons, details, and messages that break their schema or the size limit."""

from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs
from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.grpc.client import error_info, error_reason, open_channel
from workerpool_kit.grpc.errors import CODES, NEXT_STEP, STEPS, next_step
from workerpool_kit.grpc.streams import BoundedOutbox

from .echo import SERVICE, Echo


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
        assert dict(info.metadata) == {"task": "7", NEXT_STEP: STEPS[kind]}

    async def test_the_next_step_stands_apart_from_a_message_that_stays_whole(
        self, contract: Any, serve: Any
    ) -> None:
        class Refusing(Echo):
            async def Unary(self, request: Any, context: Any) -> Any:
                raise WorkerpoolError("the disk is full; free some space; then retry", reason="DISK_FULL")

        server = await serve(Refusing(contract))
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await contract.grpc.EchoServiceStub(channel).Unary(contract.pb2.Note())
        info = error_info(refused.value)
        assert info is not None
        assert refused.value.details() == "the disk is full; free some space; then retry"
        assert info.metadata[NEXT_STEP] == "free some space; then retry"

    async def test_the_longest_message_reaches_the_caller_with_reason_and_next_step(
        self, contract: Any, serve: Any
    ) -> None:
        class Refusing(Echo):
            async def Unary(self, request: Any, context: Any) -> Any:
                raise WorkerpoolError("x; " + "y" * 10_000, reason="LONG", details={"field": "z" * 500})

        server = await serve(Refusing(contract))
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await contract.grpc.EchoServiceStub(channel).Unary(contract.pb2.Note())
        info = error_info(refused.value)
        assert info is not None
        assert info.reason == "LONG"
        assert str(refused.value.details()).endswith("; " + info.metadata[NEXT_STEP])

    @pytest.mark.parametrize("kind", list(Kind))
    def test_a_message_without_a_step_gets_that_of_its_kind(self, kind: Kind) -> None:
        assert next_step("it failed", kind) == STEPS[kind]
        assert next_step("it failed; ask Ada", kind) == "ask Ada"

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
        logged = [event for event in events if event["event"] == "grpc.call_crashed"]
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

    async def test_malformed_message_is_refused_with_a_reason(self, contract: Any, serve: Any) -> None:
        server = await serve(Echo(contract))
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            raw: Any = channel.unary_unary(f"/{SERVICE}/Unary", None, None)
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
        from workerpool_kit.grpc.validation import UnsupportedRule, compile_rules

        with pytest.raises(UnsupportedRule, match=r"kit_test\.v1\.UsesUnknownRule\.value"):
            compile_rules(contract.pb2.UsesUnknownRule.DESCRIPTOR)
