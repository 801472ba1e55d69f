"""The IPFS gateway: reads of any file of the IPFS node."""

import asyncio
from collections.abc import AsyncIterator

from workerpool_result_proxy.app.ports import ContentFile, IpfsContent
from workerpool_result_proxy.errors import GatewayBusy, IpfsNotConfigured

_READERS = 32


class Gateway:
    """The lookup and streaming of files by IPFS path, for a limited number of concurrent readers."""

    def __init__(self, content: IpfsContent | None, *, readers: int = _READERS) -> None:
        """Create the gateway; without `content` it refuses every path."""
        self._content = content
        self._readers = asyncio.Semaphore(readers)

    async def find(self, path: str) -> ContentFile:
        """Return the file at `<cid>[/path]`.

        Raises `ContentNotFound`, `GatewayBusy`, `IpfsNotConfigured` or `StorageUnavailable`.
        """
        self._check_free()
        async with self._readers:
            return await self._configured().find(path)

    async def read(self, found: ContentFile, *, first: int, length: int) -> AsyncIterator[bytes]:
        """Yield a part of a file. Raises `GatewayBusy`, `ContentIncomplete` or `StorageUnavailable`."""
        self._check_free()
        async with self._readers:
            async for piece in self._configured().read(found.cid, first=first, length=length):
                yield piece

    def _check_free(self) -> None:
        if self._readers.locked():
            raise GatewayBusy("too many files are being read from IPFS; retry in a moment")

    def _configured(self) -> IpfsContent:
        if self._content is None:
            raise IpfsNotConfigured(
                "this proxy has no IPFS node; download the result from /results/<task id>, or tell the pool's "
                "operator to set IEXEC_IPFS_URL"
            )
        return self._content
