"""The server's status of a call survives the error that grpc.aio sets for a failed write."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.grpc.call_status import ServerStatus, answer_of
from workerpool_kit.grpc.client import error_reason, open_channel

from .echo import Echo

_CALLS = 60


class NotYours(WorkerpoolError):
    """The server's reason."""

    kind = Kind.PERMISSION
    reason = "NOT_YOURS"


class Refusing(Echo):
    """Refuses the first message of a stream."""

    async def Chat(self, requests: Any, context: Any) -> Any:
        async for _ in requests:
            self._refuse()
            yield self.note()

    async def Collect(self, requests: Any, context: Any) -> Any:
        async for _ in requests:
            self._refuse()

    def _refuse(self) -> None:
        raise NotYours("the message belongs to another client")


class Call:
    """A finished call whose status a test changes; tells its observer of the first status only, as grpc.aio does."""

    def __init__(self) -> None:
        self._status = (grpc.StatusCode.OK, "")
        self._observer: Any = None
        self._ended = asyncio.Event()

    def add_done_callback(self, observer: Any) -> None:
        self._observer = observer

    def end(self, code: grpc.StatusCode, details: str = "") -> None:
        self._status = (code, details)
        if not self._ended.is_set():
            self._ended.set()
            self._observer(self)

    def fail_write(self) -> None:
        self.end(grpc.StatusCode.INTERNAL, "Internal error from Core")

    async def code(self) -> grpc.StatusCode:
        await self._ended.wait()
        return self._status[0]

    async def details(self) -> str:
        return self._status[1]

    async def debug_error_string(self) -> str:
        return ""

    async def initial_metadata(self) -> grpc.aio.Metadata:
        return grpc.aio.Metadata()

    trailing_metadata = initial_metadata


@pytest.fixture
def call() -> Call:
    return Call()


async def test_the_first_status_is_kept_when_a_failed_write_replaces_it(call: Call) -> None:
    status = ServerStatus(call)
    call.end(grpc.StatusCode.PERMISSION_DENIED, "not yours")
    call.fail_write()
    error = await status.error()
    assert error is not None
    assert (error.code(), error.details()) == (grpc.StatusCode.PERMISSION_DENIED, "not yours")


@pytest.mark.parametrize("code", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.OK])
async def test_a_status_that_comes_after_the_failed_write_is_awaited(
    call: Call, code: grpc.StatusCode
) -> None:
    status = ServerStatus(call)
    call.fail_write()
    waiting = asyncio.create_task(status.error())
    await asyncio.sleep(0)
    assert not waiting.done()
    call.end(code)
    error = await waiting
    assert (error.code() if error else grpc.StatusCode.OK) is code


async def test_without_a_status_of_the_server_the_error_of_the_write_remains(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workerpool_kit.grpc.call_status._LIMIT_S", 0.02)
    status = ServerStatus(call)
    call.fail_write()
    with pytest.raises(grpc.aio.AioRpcError, match="Internal error from Core"):
        await status.raise_error()


async def test_an_ok_status_raises_nothing(call: Call) -> None:
    status = ServerStatus(call)
    call.end(grpc.StatusCode.OK)
    await status.raise_error()


async def test_each_refused_stream_names_the_servers_reason(contract: Any, serve: Any) -> None:
    server = await serve(Refusing(contract))
    note = contract.pb2.Note(text="x" * 20_000)

    async def write(call: Any) -> None:
        while True:
            await call.write(note)

    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        for _ in range(_CALLS):
            call = contract.grpc.EchoServiceStub(channel).Chat()
            status = ServerStatus(call)
            writing = asyncio.create_task(write(call))
            await asyncio.wait({writing})
            assert isinstance(writing.exception(), grpc.aio.AioRpcError | asyncio.InvalidStateError)
            error = await status.error()
            assert error is not None
            assert error_reason(error) == "NOT_YOURS"


async def test_each_refused_request_iterator_names_the_servers_reason(contract: Any, serve: Any) -> None:
    server = await serve(Refusing(contract))
    note = contract.pb2.Note(text="x" * 20_000)

    async def notes() -> AsyncIterator[Any]:
        for _ in range(1_000):
            yield note

    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        for _ in range(_CALLS):
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await answer_of(contract.grpc.EchoServiceStub(channel).Collect(notes()))
            assert error_reason(raised.value) == "NOT_YOURS"


async def test_the_response_of_a_finished_call_is_returned(contract: Any, serve: Any) -> None:
    server = await serve(Echo(contract))
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        notes = [contract.pb2.Note(text=text) for text in "ab"]
        answer = await answer_of(contract.grpc.EchoServiceStub(channel).Collect(iter(notes)))
    assert answer.text == "ab"
