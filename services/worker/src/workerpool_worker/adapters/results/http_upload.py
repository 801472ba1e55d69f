"""The bytes of an archive to a result proxy by HTTP: from the file to the socket without a copy in this process."""

import asyncio
import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import grpc
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_writer import StreamWriter
from workerpool_kit.http.answers import GRPC_STATUS
from workerpool_kit.tls.identity import identity
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb

_CONNECT_LIMIT_S = 10.0
_MAX_ANSWER_BYTES = 64 << 10
_TLS_PIECE_BYTES = 256 << 10
_CODES: Mapping[str, grpc.StatusCode] = {str(code.value[0]): code for code in grpc.StatusCode}


class HttpRefused(Exception):
    """The proxy refused the upload: `code` is what gRPC would answer, `reason` the cause that programs read."""

    def __init__(self, code: grpc.StatusCode, reason: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.reason = reason


class HttpBroken(HttpRefused):
    """The connection broke before an answer came."""

    def __init__(self, text: str) -> None:
        super().__init__(grpc.StatusCode.UNAVAILABLE, "", text)


class HttpUnusable(Exception):
    """No upload by HTTP reaches the proxy: its port is closed, or what answers there is not the proxy."""


async def upload_by_http(
    proxy_url: str, token: str, header: pb.UploadHeader, archive: Path, *, limit_s: float
) -> str:
    """Send the archive from the offset of the header; return the result link.

    Raises HttpRefused, HttpBroken, HttpUnusable, and OSError when the file cannot be read.
    """
    limits = aiohttp.ClientTimeout(total=limit_s, sock_connect=_CONNECT_LIMIT_S)
    url = f"{proxy_url.rstrip('/')}/results/{header.task_id}"
    headers = {
        "Authorization": f"Bearer {token}",
        "Workerpool-Upload": base64.b64encode(header.SerializeToString()).decode(),
    }
    # The pool's own calls never go through a proxy of the environment.
    async with aiohttp.ClientSession(timeout=limits, trust_env=False) as session:
        try:
            async with session.put(
                url,
                data=_FilePart(archive, header.offset, header.size - header.offset),
                headers=headers,
                # A refused archive sends no byte.
                expect100=True,
                allow_redirects=False,
                ssl=identity().client_context(),
            ) as answer:
                content = await answer.content.read(_MAX_ANSWER_BYTES)
                return _link(answer.status, answer.headers, content)
        except aiohttp.ClientConnectorError as unreachable:
            raise HttpUnusable(str(unreachable)) from unreachable
        except TimeoutError:
            raise HttpRefused(grpc.StatusCode.DEADLINE_EXCEEDED, "", "the upload took too long") from None
        except aiohttp.ClientError as broken:
            raise HttpBroken(f"the connection broke: {broken}") from broken


def _link(status: int, headers: Mapping[str, str], content: bytes) -> str:
    """Return the result link of an answer. Raises HttpRefused and HttpUnusable."""
    code = _CODES.get(headers.get(GRPC_STATUS, ""))
    told = _object(content)
    if status == 200 and isinstance(told.get("result_link"), str):
        return str(told["result_link"])
    if code is None:
        raise HttpUnusable(f"HTTP {status} of something that is not the proxy")
    raise HttpRefused(code, str(told.get("code", "")), str(told.get("error", "")))


def _object(content: bytes) -> dict[str, Any]:
    try:
        told = json.loads(content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


class _FilePart(aiohttp.payload.Payload):
    """A part of a file as the body of a request."""

    def __init__(self, path: Path, offset: int, length: int) -> None:
        super().__init__(path, content_type="application/zip")
        self._offset = offset
        self._size = length

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Refuse: an archive is not text."""
        raise TypeError("an archive is not text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write it all."""
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write it all; the head of the request has been sent, since the server was asked first."""
        assert isinstance(writer, StreamWriter)
        transport = writer.transport
        if transport is None:
            raise ConnectionResetError("the connection is closed")
        with await asyncio.to_thread(Path(self._value).open, "rb") as file:
            if transport.get_extra_info("sslcontext") is None:
                # The archive was hashed just before, so that its pages need no disk.
                loop = asyncio.get_running_loop()
                await loop.sendfile(transport, file, self._offset, self._size)
                return
            file.seek(self._offset)
            rest = self._size
            while rest and (piece := await asyncio.to_thread(file.read, min(rest, _TLS_PIECE_BYTES))):
                await writer.write(piece)
                rest -= len(piece)
