"""Limits of one connection to a gRPC server, against clients that ignore them."""

import asyncio
import struct
from collections import Counter
from typing import Any

from patience import PATIENCE_S
from workerpool_kit.grpc.client import open_channel

from .echo import METHODS, Echo, Waiting

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, RST_STREAM, SETTINGS, END_OF_HEADERS = 1, 3, 4, 4
LIMIT = 5


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Spell an HTTP/2 frame (RFC 9113 §4.1)."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def request_head(method: str) -> bytes:
    """Spell the head of a gRPC call, each field literally (RFC 7541 §6.2.2)."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": method,
        ":authority": "a",
        "te": "trailers",
        "content-type": "application/grpc",
    }
    return b"".join(
        b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in fields.items()
    )


async def frames(reader: asyncio.StreamReader, kind: int, count: int) -> Counter[int]:
    """Read until `count` frames of a kind came; return on how many streams each."""
    found: Counter[int] = Counter()
    async with asyncio.timeout(PATIENCE_S):
        while found.total() < count:
            head = await reader.readexactly(9)
            await reader.readexactly(int.from_bytes(head[:3], "big"))
            if head[3] == kind:
                found[int.from_bytes(head[5:], "big")] += 1
    return found


async def test_calls_that_never_send_their_request_are_bounded(contract: Any, serve: Any) -> None:
    server = await serve(Echo(contract), max_calls_per_connection=LIMIT)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(PREFACE + frame(SETTINGS, 0, 0))
    head = request_head(METHODS[0])
    streams = range(1, 2 * (LIMIT + 3), 2)
    writer.write(b"".join(frame(HEADERS, END_OF_HEADERS, stream, head) for stream in streams))
    assert set(await frames(reader, RST_STREAM, 3)) == set(streams[LIMIT:])
    writer.close()


async def test_client_queues_calls_above_the_limit(contract: Any, serve: Any) -> None:
    servicer = Waiting(contract)
    server = await serve(servicer, max_calls_per_connection=LIMIT)
    async with open_channel(f"127.0.0.1:{server.port}", own_subchannel=True) as channel:
        stub = contract.grpc.EchoServiceStub(channel)
        held = [stub.Fan(contract.pb2.Note()) for _ in range(LIMIT)]
        for stream in held:
            await stream.read()
        one_more = asyncio.ensure_future(stub.Fan(contract.pb2.Note()).read())
        held[0].cancel()
        await asyncio.wait_for(one_more, PATIENCE_S)
