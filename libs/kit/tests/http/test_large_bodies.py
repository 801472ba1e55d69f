"""Large bodies, read past the parser of HTTP."""

import asyncio
import hashlib
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority, identity_of
from patience import PATIENCE_S
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from workerpool_kit.errors import WorkerpoolError
from workerpool_kit.health import Health
from workerpool_kit.http import remainder
from workerpool_kit.http.large_bodies import EXTENSION, PIECE_BYTES, BodyIncomplete, body_pieces
from workerpool_kit.http.server import HttpServer

BODY = hashlib.shake_256(b"noise").digest(3 * PIECE_BYTES + 100)


class Receiver:
    """A server whose route reads large bodies; `most` pieces of each."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.failures: asyncio.Queue[Exception] = asyncio.Queue()
        self.most = 100
        self.may_read = asyncio.Event()
        self.may_read.set()
        routes = [Route("/body", self.take, methods=["PUT"])]
        self.server = HttpServer(
            0, health=Health(), version="1", routes=routes, host="127.0.0.1", for_browsers=True
        )

    async def take(self, request: Request) -> Response:
        assert EXTENSION in request.scope["extensions"]
        await self.may_read.wait()
        try:
            async with aclosing(body_pieces(request)) as pieces:
                async for piece in pieces:
                    self.pieces.append(piece)
                    if len(self.pieces) >= self.most:
                        raise WorkerpoolError("this is enough", reason="ENOUGH")
        except WorkerpoolError as failure:
            self.failures.put_nowait(failure)
            raise
        return PlainTextResponse(hashlib.sha256(b"".join(self.pieces)).hexdigest())


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.server.start()
    yield receiver
    await receiver.server.stop()


class Sender:
    """A client that sends a body byte by byte as it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, receiver: Receiver, *headers: str, tls: ssl.SSLContext | None = None) -> "Sender":
        name = "localhost" if tls else None
        sender = cls(
            *await asyncio.open_connection("127.0.0.1", receiver.server.port, ssl=tls, server_hostname=name)
        )
        await sender.send("\r\n".join(("PUT /body HTTP/1.1", "Host: a", *headers, "", "")).encode())
        return sender

    async def send(self, data: bytes) -> None:
        async with asyncio.timeout(PATIENCE_S):
            self.writer.write(data)
            await self.writer.drain()

    async def head(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def rest(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read()
            finally:
                self.writer.close()


LENGTH, ASKS = f"Content-Length: {len(BODY)}", "Expect: 100-continue"


async def test_a_body_comes_in_pieces_and_ends_the_connection(receiver: Receiver) -> None:
    sender = await Sender.to(receiver, LENGTH, ASKS)
    assert (await sender.head()).startswith(b"HTTP/1.1 100 ")
    await sender.send(BODY)
    head = await sender.head()
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in head.lower()
    assert await sender.rest() == hashlib.sha256(BODY).hexdigest().encode()
    assert [len(piece) for piece in receiver.pieces] == [PIECE_BYTES] * 3 + [100]


async def test_a_client_that_does_not_ask_first_is_served_alike(receiver: Receiver) -> None:
    # Its first bytes are with the parser before the route reads.
    receiver.may_read.clear()
    sender = await Sender.to(receiver, LENGTH)
    await sender.send(BODY[:50_000])
    await asyncio.sleep(0.05)
    receiver.may_read.set()
    await sender.send(BODY[50_000:])
    assert (await sender.head()).startswith(b"HTTP/1.1 200 ")
    assert await sender.rest() == hashlib.sha256(BODY).hexdigest().encode()


async def test_a_body_that_came_with_its_head_is_served(receiver: Receiver) -> None:
    receiver.may_read.clear()
    sender = await Sender.to(receiver, "Content-Length: 5")
    await sender.send(b"12345")
    await asyncio.sleep(0.05)
    receiver.may_read.set()
    assert (await sender.head()).startswith(b"HTTP/1.1 200 ")
    assert receiver.pieces == [b"12345"]
    await sender.rest()


async def test_a_body_over_tls_is_served(receiver: Receiver, tmp_path: Path) -> None:
    await receiver.server.stop()
    with identity_of(Authority(tmp_path).issue()) as own:
        await receiver.server.start()
        sender = await Sender.to(receiver, LENGTH, ASKS, tls=own.client_context())
        assert (await sender.head()).startswith(b"HTTP/1.1 100 ")
        await sender.send(BODY)
        assert (await sender.head()).startswith(b"HTTP/1.1 200 ")
        assert (await sender.rest()).startswith(hashlib.sha256(BODY).hexdigest().encode())


async def test_a_connection_that_ends_early_is_no_complete_body(receiver: Receiver) -> None:
    sender = await Sender.to(receiver, LENGTH, ASKS)
    await sender.head()
    await sender.send(BODY[: PIECE_BYTES + 10])
    sender.writer.close()
    async with asyncio.timeout(PATIENCE_S):
        failure = await receiver.failures.get()
    assert isinstance(failure, BodyIncomplete)
    assert receiver.pieces == [BODY[:PIECE_BYTES]]


async def test_a_refusal_in_the_middle_reaches_a_client_that_sends_everything(receiver: Receiver) -> None:
    receiver.most = 1
    sender = await Sender.to(receiver, LENGTH, ASKS)
    await sender.head()
    await sender.send(BODY)
    assert (await sender.head()).startswith(b"HTTP/1.1 500 ")
    assert json.loads(await sender.rest())["code"] == "ENOUGH"


async def test_a_refusal_does_not_wait_for_a_silent_client(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remainder, "LIMIT_S", 0.05)
    receiver.most = 1
    sender = await Sender.to(receiver, LENGTH)
    await sender.send(BODY[:PIECE_BYTES])
    assert (await sender.head()).startswith(b"HTTP/1.1 500 ")
    await sender.rest()


@pytest.mark.parametrize("header", ["Transfer-Encoding: chunked", "Accept: */*"])
async def test_a_body_without_a_length_is_refused(receiver: Receiver, header: str) -> None:
    sender = await Sender.to(receiver, "Connection: close", ASKS, header)
    assert (await sender.head()).startswith(b"HTTP/1.1 400 ")
    assert json.loads(await sender.rest())["code"] == "LENGTH_REQUIRED"


async def test_another_server_than_uvicorn_streams_the_body() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"12345", "more_body": False}

    scope = {"type": "http", "method": "PUT", "headers": [(b"content-length", b"5")]}
    assert [piece async for piece in body_pieces(Request(scope, receive))] == [b"12345", b""]
