"""Time limits and the number of connections to the HTTP port."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from patience import PATIENCE_S
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from structlog.testing import capture_logs
from workerpool_kit.health import Health
from workerpool_kit.http import remainder
from workerpool_kit.http.connections import BoundedConnection
from workerpool_kit.http.server import HttpServer

ASK = b"GET /version HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def answer_now() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def side(monkeypatch: pytest.MonkeyPatch, answer_now: asyncio.Event) -> AsyncIterator[HttpServer]:
    """An HTTP port for three clients, which it does not close while the test runs."""

    async def slow(_request: Request) -> Response:
        await answer_now.wait()
        return PlainTextResponse("late")

    async def endless(_request: Request) -> Response:
        async def content() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 65_536
                await asyncio.sleep(0)

        return StreamingResponse(content())

    monkeypatch.setattr(BoundedConnection, "request_limit_s", 2 * PATIENCE_S)
    monkeypatch.setattr(BoundedConnection, "reading_limit_s", 2 * PATIENCE_S)
    monkeypatch.setattr(BoundedConnection, "max_connections", 3)
    monkeypatch.setattr(remainder, "LIMIT_S", 0.2)
    routes = [Route("/slow", slow), Route("/endless", endless)]
    side = HttpServer(0, health=Health(), version="1", routes=routes, host="127.0.0.1")
    await side.start()
    yield side
    await side.stop()


@pytest.fixture
def strict(side: HttpServer, monkeypatch: pytest.MonkeyPatch) -> HttpServer:
    """The same port with short limits of time."""
    monkeypatch.setattr(BoundedConnection, "request_limit_s", 0.2)
    monkeypatch.setattr(BoundedConnection, "reading_limit_s", 0.2)
    return side


class Client:
    """A client that says what it likes, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, side: HttpServer) -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", side.port, limit=2**16))

    async def until_cut(self) -> bytes:
        """Return what comes until the server ends the connection."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""
            finally:
                self.writer.close()

    async def answer(self) -> bytes:
        """Return the head of the next answer."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def trickle(self) -> None:
        """Send a letter again and again, until that is no longer possible."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while not self.reader.at_eof():
                    self.writer.write(b"a")
                    await self.writer.drain()
                    await asyncio.sleep(0.01)
            except ConnectionError:
                pass
            finally:
                self.writer.close()


async def test_connection_without_a_request_is_closed(strict: HttpServer) -> None:
    assert await (await Client.to(strict)).until_cut() == b""


async def test_connection_with_an_unfinished_request_head_is_closed(strict: HttpServer) -> None:
    client = await Client.to(strict)
    client.writer.write(b"GET / HTTP/1.1\r\nX-Long: ")
    await client.trickle()


async def test_connection_with_an_unfinished_unread_body_is_closed(strict: HttpServer) -> None:
    client = await Client.to(strict)
    client.writer.write(b"GET /version HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n")
    assert b"200" in await client.answer()
    await client.trickle()


async def test_connection_that_does_not_read_its_response_is_closed(strict: HttpServer) -> None:
    client = await Client.to(strict)
    client.writer.write(ASK.replace(b"version", b"endless"))
    await client.answer()
    # The reader holds no more than its limit, and then reads no further by itself.
    async with asyncio.timeout(PATIENCE_S):
        while _connections(strict):
            await asyncio.sleep(0.01)
    client.writer.close()


async def test_long_response_and_second_request_are_served(
    strict: HttpServer, answer_now: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await Client.to(strict)
    client.writer.write(ASK.replace(b"version", b"slow"))
    silent = await Client.to(strict)
    # As long as a silent client is endured, and longer.
    await silent.until_cut()
    monkeypatch.setattr(BoundedConnection, "request_limit_s", 2 * PATIENCE_S)
    answer_now.set()
    assert b"200" in await client.answer()
    client.writer.write(ASK)
    assert b"200" in await client.answer()
    client.writer.close()


async def test_connection_above_the_limit_is_aborted(side: HttpServer) -> None:
    asked = [await Client.to(side) for _ in range(3)]
    for client in asked:
        client.writer.write(ASK)
        assert b"200" in await client.answer()
    assert await (await Client.to(side)).until_cut() == b""
    asked[0].writer.close()
    async with asyncio.timeout(PATIENCE_S):
        while len(_connections(side)) == 3:
            await asyncio.sleep(0.01)
    again = await Client.to(side)
    again.writer.write(ASK)
    assert b"200" in await again.answer()
    for client in (*asked[1:], again):
        client.writer.close()


@pytest.mark.parametrize("path", [b"slow", b"version", b"nowhere"])
async def test_malformed_body_is_an_error_of_the_client(
    side: HttpServer, answer_now: asyncio.Event, path: bytes
) -> None:
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: errors.append(context))
    with capture_logs() as events:
        for together in (True, False):
            answer_now.clear()
            client = await Client.to(side)
            client.writer.write(b"GET /%b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" % path)
            if not together and path != b"slow":
                await client.answer()
            client.writer.write(b"no chunk\r\n")
            await client.until_cut()
            answer_now.set()
            async with asyncio.timeout(PATIENCE_S):
                while side._server.server_state.tasks:  # type: ignore[union-attr]
                    await asyncio.sleep(0.01)
    assert errors == []
    assert [event for event in events if event["log_level"] == "error"] == []


def _connections(side: HttpServer) -> set[object]:
    assert side._server is not None
    return set(side._server.server_state.connections)
