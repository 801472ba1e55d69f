"""The `IpfsContent` port over a Kubo node."""

import re
from collections.abc import AsyncIterator

from workerpool_result_proxy.adapters.ipfs.kubo import Kubo, NotInIpfs
from workerpool_result_proxy.app.ports import ContentFile
from workerpool_result_proxy.errors import ContentIncomplete, ContentNotFound

_BASE58 = "[1-9A-HJ-NP-Za-km-z]"
_CID = re.compile(f"Qm{_BASE58}{{44}}|[bB][a-zA-Z2-7]{{20,120}}|z{_BASE58}{{20,120}}|f[0-9a-f]{{20,160}}")
_LONGEST_PATH = 1024
_FIND_LIMIT_S = 15.0
_PIECE_BYTES = 1 << 20


class KuboContent:
    """Reads of IPFS content; an online node searches the network for missing content, up to `find_limit_s` seconds."""

    def __init__(self, kubo: Kubo, *, find_limit_s: float = _FIND_LIMIT_S) -> None:
        self._kubo = kubo
        self._limit_s = find_limit_s

    async def find(self, path: str) -> ContentFile:
        """Return the file at a path; see `IpfsContent`."""
        cid, *below = path.strip("/").split("/")
        if (
            not _CID.fullmatch(cid)
            or len(path) > _LONGEST_PATH
            or any(part in ("", ".", "..") for part in below)
        ):
            raise ContentNotFound(f"{path[:80]!r} is not a content id with an optional path; check the link")
        try:
            found = await self._kubo.stat("/".join(("/ipfs", cid, *below)), limit_s=self._limit_s)
        except NotInIpfs as missing:
            raise ContentNotFound(
                f"the IPFS node does not have {path[:80]!r} ({missing}); check the content id, or read it from a "
                "gateway that does"
            ) from None
        if found is None:
            raise ContentNotFound(f"{path[:80]!r} is a folder; name a file in it")
        return ContentFile(found.cid, found.size)

    async def read(self, cid: str, *, first: int, length: int) -> AsyncIterator[bytes]:
        """Yield a part of a file; see `IpfsContent`."""
        pieces = self._kubo.cat(f"/ipfs/{cid}", first=first, length=length, piece_bytes=_PIECE_BYTES)
        try:
            async for piece in pieces:
                yield piece
        except NotInIpfs as missing:
            raise ContentIncomplete(
                f"the IPFS node lacks a part of {cid} ({missing}); read it from another gateway, or tell the pool's "
                "operator to restore the blocks of the node"
            ) from missing
