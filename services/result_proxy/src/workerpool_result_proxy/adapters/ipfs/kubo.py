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
_MISSING = ("does not exist", "no link named", "not found", "no link by that name")


class NotInIpfs(LookupError):
    """The node does not have the content, and did not find it in time."""


@dataclass(frozen=True)
class IpfsFile:
    """The `size` of a file in bytes, and its content id."""

    cid: str
    size: int


class Kubo:
    """Calls the node at `url`. Every method raises `StorageUnavailable` when it does not answer."""

    def __init__(self, url: str) -> None:
        """Prepare; `url` is the base URL of the RPC API, such as http://127.0.0.1:5001."""
        self._base = url.rstrip("/") + "/api/v0/"
        self._sessions: dict[aiohttp.HttpVersion, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            await session.close()

    async def add(self, pieces: AsyncIterator[bytes], to_file: str) -> str:
        """Store the bytes as a file, reachable at `to_file` in the node's own tree; return its content id."""
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
        )

        async def body() -> AsyncIterator[bytes]:
            yield head.encode()
            async for piece in pieces:
                yield piece
            yield f"\r\n--{boundary}--\r\n".encode()

        answer = self._call(
            "add",
            {**options, "to-files": to_file},
            data=body(),
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
            total_s=None,
        )
        async with answer as response:
            added = json.loads(await response.read())
        await self._flush(to_file)
        return str(added["Hash"])

    async def make_folder(self, path: str) -> None:
        """Create a folder in the node's own tree, and those above it."""
        await self._ask("files/mkdir", {"arg": path, "parents": "true"})

    async def remove(self, path: str) -> None:
        """Remove a file from the node's own tree; a missing one is accepted."""
        try:
            await self._ask("files/rm", {"arg": path, "force": "true"})
            await self._flush(path.rpartition("/")[0])
        except NotInIpfs:
            return

    async def stat(self, path: str, *, limit_s: float = _CALL_S) -> IpfsFile | None:
        """Return what the file is at `/ipfs/<cid>…` or in the node's own tree, None for a folder.

        Raises `NotInIpfs` when it is not found within `limit_s` seconds.
        """
        found = json.loads(await self._ask("files/stat", {"arg": path}, limit_s=limit_s))
        return IpfsFile(found["Hash"], int(found["Size"])) if found["Type"] == "file" else None

    async def cat(self, path: str, *, first: int, length: int, piece_bytes: int) -> AsyncIterator[bytes]:
        """Yield `length` bytes of a file from byte `first`, in pieces of `piece_bytes`; the last one may be smaller.

        A node sends a few KiB at a time, and to pass a piece on costs as much as for a large one. Raises `NotInIpfs`,
        also after some pieces: a node that lacks a block ends its answer there, with status 200.
        """
        while length:
            arrived = 0
            async for piece in self._cat(path, first, length, piece_bytes):
                arrived += len(piece)
                yield piece
            # An answer that ended early is continued: only the next one tells a lost block from a node that stopped.
            first, length = first + arrived, length - arrived
            if length and not arrived:
                raise NotInIpfs(f"the node ended its answer {length} bytes too early")

    async def _cat(self, path: str, first: int, length: int, piece_bytes: int) -> AsyncIterator[bytes]:
        """Yield what one answer has of some bytes.

        To a client of HTTP/1.0 the node sends the bytes as they are. The frames that HTTP/1.1 puts around each 32 KiB
        cost this process a third of its time, and the node a seventh.
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
        """Return when the node answers. Raises DependencyProblem."""
        try:
            await self._ask("version", {}, limit_s=_CONNECT_S)
        except StorageUnavailable as problem:
            raise DependencyProblem(problem.message) from None
        except (NotInIpfs, json.JSONDecodeError):
            raise DependencyProblem("what answers there is no RPC API of Kubo", kind=WRONG) from None

    async def _flush(self, path: str) -> None:
        """Make a change of the node's own tree durable: the node itself does so up to seconds after its answer."""
        await self._ask("files/flush", {"arg": path})

    async def _ask(self, command: str, options: Mapping[str, str], *, limit_s: float = _CALL_S) -> bytes:
        async with self._call(command, options, total_s=limit_s) as response:
            return await response.read()

    def _session(self, version: aiohttp.HttpVersion) -> aiohttp.ClientSession:
        if version not in self._sessions:
            # An answer of HTTP/1.0 without a length ends with its connection.
            connector = aiohttp.TCPConnector(force_close=version == aiohttp.HttpVersion10)
            # The pool's own calls never go through a proxy of the environment.
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
    """Return the error for an answer of Kubo: `{"Message": …}` and 500 for all causes."""
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
