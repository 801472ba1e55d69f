"""The `Archives` port in IPFS.

Each file has an entry in the node's mutable file system (MFS), which protects its blocks from garbage collection. Equal
archives share their blocks, and each entry protects them independently.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from workerpool_result_proxy.adapters.ipfs.kubo import Kubo, NotInIpfs
from workerpool_result_proxy.app.ports import BytesMissing
from workerpool_result_proxy.domain.results import IPFS
from workerpool_result_proxy.errors import StorageUnavailable

_ROOT = "/workerpool-results"
_PIECE_BYTES = 1 << 20
_PIECES_WAITING = 8
_FOLDER_DIGITS = 6
"""Digits of the creation time at the start of an id that name its folder; files of 4,096 seconds share one."""


class IpfsArchives:
    """The `Archives` port over a Kubo node."""

    storage = IPFS

    def __init__(self, kubo: Kubo) -> None:
        self._kubo = kubo

    def new_id(self) -> str:
        """Return an unused file id; see `Archives`."""
        return f"{int(time.time()):09x}{secrets.token_hex(8)}"

    @asynccontextmanager
    async def writing(self, file_id: str, size: int) -> AsyncIterator["IpfsWriter"]:
        """Return a writer; see `Archives`."""
        writer = IpfsWriter(self._kubo, _path(file_id), size)
        try:
            yield writer
        finally:
            await writer.stop()

    async def read(self, file_id: str, *, first: int, length: int) -> AsyncIterator[bytes]:
        """Yield a part of a file; see `Archives`."""
        try:
            found = await self._kubo.stat(_path(file_id))
            if found is None or found.size < first + length:
                raise NotInIpfs("its content is too short")
            pieces = self._kubo.cat(
                f"/ipfs/{found.cid}", first=first, length=length, piece_bytes=_PIECE_BYTES
            )
            async for piece in pieces:
                yield piece
        except NotInIpfs as missing:
            raise BytesMissing(f"the IPFS node lacks bytes of {_path(file_id)} ({missing})") from missing

    async def delete(self, file_id: str) -> None:
        """Remove a file; see `Archives`. The node's garbage collection frees blocks without another file."""
        await self._kubo.remove(_path(file_id))

    async def free_bytes(self) -> int | None:
        """Return None, because a node refuses bytes beyond its disk but does not report its free space."""
        return None


class IpfsWriter:
    """The `ArchiveWriter` port: one streaming `add` call of the node."""

    def __init__(self, kubo: Kubo, path: str, size: int) -> None:
        self._kubo = kubo
        self._path = path
        self._size = size
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(_PIECES_WAITING)
        self._adding = asyncio.ensure_future(self._add())

    async def append(self, chunk: bytes) -> None:
        """Write the next bytes; see `ArchiveWriter`."""
        await self._put(chunk)

    async def finish(self) -> str:
        """Return the location when the node has stored the file; see `ArchiveWriter`."""
        await self._put(None)
        return f"/ipfs/{await self._adding}"

    async def stop(self) -> None:
        """Cancel a call in progress."""
        self._adding.cancel()
        await asyncio.gather(self._adding, return_exceptions=True)

    async def _put(self, piece: bytes | None) -> None:
        if not self._waiting.full() and not self._adding.done():
            self._waiting.put_nowait(piece)
            return
        putting = asyncio.ensure_future(self._waiting.put(piece))
        try:
            await asyncio.wait({putting, self._adding}, return_when=asyncio.FIRST_COMPLETED)
            if self._adding.done():
                await self._adding
                raise StorageUnavailable("the IPFS node ended the upload early; try again later")
        finally:
            putting.cancel()

    async def _add(self) -> str:
        await self._kubo.make_folder(self._path.rpartition("/")[0])
        return await self._kubo.add(self._pieces(), self._size, self._path)

    async def _pieces(self) -> AsyncIterator[bytes]:
        while (piece := await self._waiting.get()) is not None:
            yield piece


def _path(file_id: str) -> str:
    return f"{_ROOT}/{file_id[:_FOLDER_DIGITS]}/{file_id}.zip"
