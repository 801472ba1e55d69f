"""Client of a Kubo node's RPC API (`/api/v0`)."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from workerpool_kit.dependencies.report import WRONG, DependencyProblem
from workerpool_kit.logs import get_logger

from workerpool_result_proxy.errors import StorageFull, StorageUnavailable

log = get_logger()

_CONNECT_S = 5.0
_CALL_S = 30.0
_IDLE_S = 60.0
_FULL = ("no space left on device", "disk quota exceeded")
_CHUNKER = "size-1048576"
"""Blocks of 1 MiB, so that the content id depends on no setting of the node. Four times as many of 256 KiB, the size of
older nodes, cost the node 10 % more processor time when it adds a file and 20 % when it reads one."""
_SENT_BYTES = 256 << 10
"""Bytes that are sent at once: asyncio copies what the socket does not take."""
_MISSING = ("does not exist", "no link named", "not found", "no link by that name")


class NotInIpfs(LookupError):
    """The node does not have the content, and did not find it in time."""


@dataclass(frozen=True)
class IpfsFile:
    """The `size` of a file in bytes, and its content id."""

    cid: str
    size: int


class Kubo:
    """A client of the node at `url`; every method raises `StorageUnavailable` when it does not answer."""

    def __init__(self, url: str) -> None:
        """Create a client; `url` is the base URL of the RPC API, such as http://127.0.0.1:5001."""
        self._base = url.rstrip("/") + "/api/v0/"
        self._sessions: dict[aiohttp.HttpVersion, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            await session.close()

    async def add(self, pieces: AsyncIterator[bytes], size: int, to_file: str) -> str:
        """Store `size` bytes as a file at `to_file` in the node's MFS; return its content id."""
        boundary = secrets.token_hex(16)
        options = {
            "cid-version": "1",
            "chunker": _CHUNKER,
            "pin": "false",
            "progress": "false",
            "quieter": "true",
        }
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="archive.zip"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        tail = f"\r\n--{boundary}--\r\n".encode()

        async def body() -> AsyncIterator[bytes | memoryview]:
            yield head
            async for piece in pieces:
                view = memoryview(piece)
                for start in range(0, len(view), _SENT_BYTES):
                    yield view[start : start + _SENT_BYTES]
            yield tail

        answer = self._call(
            "add",
            {**options, "to-files": to_file},
            data=body(),
            headers={
                "Content-Type": f"multipart/form-data; boundary={boundary}",
                # Without it each piece is copied, and the node decodes chunks.
                "Content-Length": str(len(head) + size + len(tail)),
            },
            total_s=None,
        )
        async with answer as response:
            added = json.loads(await response.read())
        await self._flush(to_file)
        return str(added["Hash"])

    async def make_folder(self, path: str) -> None:
        """Create a folder in the node's MFS, with its parents."""
        await self._ask("files/mkdir", {"arg": path, "parents": "true"})

    async def remove(self, path: str) -> None:
        """Remove a file from the node's MFS, if it exists."""
        try:
            await self._ask("files/rm", {"arg": path, "force": "true"})
            await self._flush(path.rpartition("/")[0])
        except NotInIpfs:
            return

    async def stat(self, path: str, *, limit_s: float = _CALL_S) -> IpfsFile | None:
        """Return the file at `/ipfs/<cid>…` or in the node's MFS; None for a folder.


        Raises `NotInIpfs` when it is not found within `limit_s` seconds.
        """
        found = json.loads(await self._ask("files/stat", {"arg": path}, limit_s=limit_s))
        return IpfsFile(found["Hash"], int(found["Size"])) if found["Type"] == "file" else None

    async def cat(self, path: str, *, first: int, length: int, piece_bytes: int) -> AsyncIterator[bytes]:
        """Yield `length` bytes of a file from byte `first`, in pieces of `piece_bytes`; the last one may be smaller.

        The node sends a few KiB at a time, and passing on a small piece costs as much as a large one. Raises
        `NotInIpfs`, possibly after some pieces: a node that lacks a block ends its answer there, with status 200.
        """
        while length:
            arrived = 0
            async for piece in self._cat(path, first, length, piece_bytes):
                arrived += len(piece)
                yield piece
            # After an early end, request the rest: only the next answer distinguishes a lost block from a stopped node.
            first, length = first + arrived, length - arrived
            if length and not arrived:
                raise NotInIpfs(f"the node ended its answer {length} bytes too early")

    async def _cat(self, path: str, first: int, length: int, piece_bytes: int) -> AsyncIterator[bytes]:
        """Yield the bytes of a range that one answer contains, which may end early.

        Uses HTTP/1.0, to which the node answers without chunked encoding. Decoding a chunk for each 32 KiB costs this
        process a third of its processor time, and the node a seventh.
        """
        options = {"arg": path, "offset": str(first), "length": str(length)}
        async with self._call("cat", options, total_s=None, version=aiohttp.HttpVersion10) as response:
            while length:
                try:
                    piece = await response.content.readexactly(min(piece_bytes, length))
                except asyncio.IncompleteReadError as end:
                    if end.partial:
                        yield end.partial
                    return
                length -= len(piece)
                yield piece

    async def check(self) -> None:
        """Check that the node answers. Raises DependencyProblem."""
        try:
            await self._ask("version", {}, limit_s=_CONNECT_S)
        except StorageUnavailable as problem:
            raise DependencyProblem(problem.message) from None
        except (NotInIpfs, json.JSONDecodeError):
            raise DependencyProblem("the answer is not from the RPC API of Kubo", kind=WRONG) from None

    async def _flush(self, path: str) -> None:
        """Make a change of the node's MFS durable, because the node does so only seconds after its answer."""
        await self._ask("files/flush", {"arg": path})

    async def _ask(self, command: str, options: Mapping[str, str], *, limit_s: float = _CALL_S) -> bytes:
        async with self._call(command, options, total_s=limit_s) as response:
            return await response.read()

    def _session(self, version: aiohttp.HttpVersion) -> aiohttp.ClientSession:
        if version not in self._sessions:
            # An HTTP/1.0 answer without a length ends when its connection closes.
            connector = aiohttp.TCPConnector(force_close=version == aiohttp.HttpVersion10)
            # The pool's internal calls never use a proxy from the environment.
            self._sessions[version] = aiohttp.ClientSession(
                trust_env=False, read_bufsize=1 << 20, version=version, connector=connector
            )
        return self._sessions[version]

    @asynccontextmanager
    async def _call(
        self,
        command: str,
        options: Mapping[str, str],
        *,
        total_s: float | None,
        version: aiohttp.HttpVersion = aiohttp.HttpVersion11,
        **request: Any,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        limits = aiohttp.ClientTimeout(total=total_s, connect=_CONNECT_S, sock_read=_IDLE_S)
        session = self._session(version)
        try:
            async with session.post(
                self._base + command, params=dict(options), timeout=limits, **request
            ) as response:
                if response.status != 200:
                    raise _refusal(command, response.status, await response.text())
                yield response
        except TimeoutError:
            if command in ("files/stat", "cat"):
                raise NotInIpfs("the IPFS node did not find it in time") from None
            raise StorageUnavailable("the IPFS node does not answer in time; try again later") from None
        except aiohttp.ClientError as error:
            log.warning("ipfs.call_failed", command=command, error=repr(error))
            raise StorageUnavailable("the IPFS node does not answer; try again later") from error


def _refusal(command: str, status: int, body: str) -> Exception:
    """Return the error for an answer of Kubo, which is 500 and `{"Message": …}` for all causes."""
    try:
        message = str(json.loads(body)["Message"])
    except (ValueError, KeyError, TypeError):
        message = body[:200]
    lower = message.lower()
    if any(word in lower for word in _FULL):
        return StorageFull("the disk of the IPFS node is full; try again later, and tell the pool's operator")
    if status == 404 or any(word in lower for word in _MISSING) or "invalid" in lower:
        return NotInIpfs(message[:200])
    log.warning("ipfs.call_refused", command=command, status=status, message=message[:200])
    return StorageUnavailable(f"the IPFS node refused {command}: {message[:200]}; try again later")
