"""The `BulkSource` port over an HTTP gateway of IPFS."""

import aiohttp
from workerpool_kit.logs import get_logger
from workerpool_poco.chain.proxies import proxy_of

log = get_logger()

_MAX_BYTES = 1 << 20
_LIMIT_S = 20.0


class IpfsGateway:
    """Reads of small objects; the chain checks the signatures of the orders in them."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    async def read(self, cid: str) -> str:
        """Return the text of an object; see `BulkSource`. An object of more than 1 MiB counts as unreadable."""
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_LIMIT_S)) as session,
                session.get(f"{self._url}/ipfs/{cid}", proxy=proxy_of(self._url)) as answer,
            ):
                answer.raise_for_status()
                content = bytearray()
                async for chunk in answer.content.iter_chunked(1 << 16):
                    content += chunk
                    if len(content) > _MAX_BYTES:
                        raise ValueError(f"more than {_MAX_BYTES} bytes")
                return content.decode()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.warning(
                "ipfs.object_rejected", cid=cid, gateway=self._url, error=str(error) or type(error).__name__
            )
            return ""
