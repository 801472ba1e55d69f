"""HTTP requests to the market; every answer without usable JSON is an outage."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from workerpool_poco.chain.proxies import proxy_of
from workerpool_poco.chain.transport import retry_after_s
from workerpool_poco.protocol.encoding.json_text import loads_bounded

from workerpool_order_publisher.app.ports import MarketOutage

_LIMIT_S = 10.0
_MAX_BYTES = 8 * 2**20
_TEMPORARY = frozenset({408, 425, 429})
"""Statuses below 500 with which a server refuses a request temporarily, not for its content."""
_MAX_ERROR_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON object with its HTTP status, which is below 500."""

    status: int
    content: Mapping[str, Any]

    @property
    def error(self) -> str:
        """The market's error message of a refusal."""
        return str(self.content.get("error") or f"HTTP status {self.status}")[:_MAX_ERROR_CHARACTERS]


class MarketHttp:
    """One session with the market at `url`, which has no path."""

    def __init__(self, url: str, chain_id: int, *, limit_s: float = _LIMIT_S) -> None:
        self._url = url
        self._chain_id = str(chain_id)
        self._limit = aiohttp.ClientTimeout(total=limit_s)
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, path: str, **query: str) -> Answer:
        """Return the answer to a GET. Raises MarketOutage."""
        return await self._call("GET", path, query, None, None)

    async def send(self, method: str, path: str, body: Any, authorization: str) -> Answer:
        """Return the answer to a POST or PUT. Raises MarketOutage, after which its outcome is unknown."""
        return await self._call(method, path, {}, body, authorization)

    async def _call(
        self, method: str, path: str, query: Mapping[str, str], body: Any, authorization: str | None
    ) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._limit)
        headers = {"Accept": "application/json"}
        if authorization is not None:
            headers["Authorization"] = authorization
        what = f"{method} {path}"
        try:
            async with self._session.request(
                method,
                self._url + path,
                params={"chainId": self._chain_id, **query},
                json=body,
                headers=headers,
                allow_redirects=False,
                # The market is outside the pool, possibly behind the operator's proxy.
                proxy=proxy_of(self._url),
            ) as response:
                content = await _read(response)
                status, after = response.status, retry_after_s(response.headers)
        except TimeoutError:
            raise MarketOutage(f"{what} got no answer within {self._limit.total:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise MarketOutage(f"{what} failed: {error or type(error).__name__}") from error
        if status >= 500 or status in _TEMPORARY:
            raise MarketOutage(f"{what} was answered with HTTP status {status}", retry_after_s=after)
        try:
            decoded = loads_bounded(content, max_bytes=_MAX_BYTES)
        except (ValueError, RecursionError):
            raise MarketOutage(f"{what} was answered with status {status}, but not with JSON") from None
        if not isinstance(decoded, dict):
            raise MarketOutage(f"{what} was answered with JSON that is not an object")
        return Answer(status, decoded)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return a body. Raises MarketOutage for one that exceeds the limit."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > _MAX_BYTES:
            raise MarketOutage(f"an answer is larger than {_MAX_BYTES} bytes")
    return bytes(body)
