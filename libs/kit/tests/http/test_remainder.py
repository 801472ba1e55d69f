"""Answers to requests whose body is not read to its end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from patience import PATIENCE_S
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message
from workerpool_kit.health import Health
from workerpool_kit.http import remainder
from workerpool_kit.http.bodies import read_body
from workerpool_kit.http.remainder import read_on
from workerpool_kit.http.server import HttpServer

LARGE = 16 << 20
"""More than the buffers of both sockets hold."""


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Serve a route that takes 10 bytes."""

    async def small(request: Request) -> Response:
        return PlainTextResponse(str(len(await read_body(request, 10))))

    routes = [Route("/small", small, methods=["POST"])]
    server = HttpServer(0, health=Health(), version="1", routes=routes, host="127.0.0.1", for_browsers=True)
    await server.start()
    yield server.port
    await server.stop()


async def answer_to(port: int, head: str, body: bytes) -> bytes:
    """Send a whole request, as clients do that read no answer before, then return the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(PATIENCE_S):
            writer.write(f"{head} HTTP/1.1\r\nHost: a\r\n".encode() + body)
            await writer.drain()
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("head", "status"), [("POST /small", b"400"), ("POST /nowhere", b"404"), ("PUT /small", b"405")]
)
async def test_a_refused_body_is_read_so_that_the_client_gets_the_answer(
    port: int, head: str, status: bytes
) -> None:
    # A reverse proxy asks for the end of the connection.
    body = b"Connection: close\r\nContent-Length: %d\r\n\r\n" % LARGE + b"x" * LARGE
    answer = await answer_to(port, head, body)
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:200]
    assert answer.endswith(b"}")


async def test_a_body_in_chunks_is_read_too(port: int) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (1 << 16, b"x" * (1 << 16)) for _ in range(LARGE >> 16))
    head = b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert (await answer_to(port, "POST /small", head + chunks + b"0\r\n\r\n")).startswith(b"HTTP/1.1 400")


async def test_a_client_that_asks_first_is_refused_without_sending_its_body(port: int) -> None:
    head = b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 1000000000\r\n\r\n"
    assert (await answer_to(port, "POST /nowhere", head)).startswith(b"HTTP/1.1 404")


async def _refuse(_scope: object, _receive: object, send: Callable[[Message], Awaitable[None]]) -> None:
    await send({"type": "http.response.start", "status": 401, "headers": []})


async def _answers(receive: Callable[[], Awaitable[Message]], length: bytes) -> list[int]:
    """Return the statuses that a client gets whose body comes from `receive`."""
    sent: list[int] = []

    async def send(message: Message) -> None:
        sent.append(message["status"])

    scope = {"type": "http", "headers": [(b"content-length", length)]}
    async with asyncio.timeout(PATIENCE_S):
        await read_on(_refuse)(scope, receive, send)
    return sent


async def test_an_endless_body_is_read_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remainder, "MAX_BYTES", 10_000)
    read = 0

    async def receive() -> Message:
        nonlocal read
        read += 1_000
        return {"type": "http.request", "body": b"x" * 1_000, "more_body": True}

    assert await _answers(receive, b"1000000000") == [401]
    assert read == 10_000


async def test_a_body_that_does_not_come_is_awaited_for_a_limited_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remainder, "LIMIT_S", 0.01)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("it never comes")

    assert await _answers(receive, b"1000") == [401]


async def test_a_client_that_went_away_is_not_awaited() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    assert await _answers(receive, b"1000") == [401]


async def test_a_request_without_a_body_is_answered_at_once() -> None:
    async def receive() -> Message:
        raise AssertionError("nothing is read")

    assert await _answers(receive, b"0") == [401]
