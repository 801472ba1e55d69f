"""anvil behind the proxy."""

from __future__ import annotations

import itertools
from typing import Any

import aiohttp

from sequencer.errors import NodeGone, RpcError

_LIMITS = aiohttp.ClientTimeout(total=60)


class Upstream:
    """Calls anvil at `url`. Use as an asynchronous context manager."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._ids = itertools.count(1)
        self._http: aiohttp.ClientSession

    async def __aenter__(self) -> Upstream:
        """Open the connections."""
        self._http = aiohttp.ClientSession(timeout=_LIMITS, connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._http.close()

    async def call(self, method: str, *params: object) -> Any:
        """Return the result of a call; raises `RpcError` for an error of anvil, `NodeGone` without an answer."""
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}
        try:
            async with self._http.post(self.url, json=body) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NodeGone(f"{method}: {error}") from error
        return result_of(answer)

    async def number(self, method: str, *params: object) -> int:
        """Return the result of a call that answers with a hexadecimal number."""
        return int(await self.call(method, *params), 16)


def result_of(answer: dict[str, Any]) -> Any:
    """Return the result of a JSON-RPC response; raises `RpcError` for an error."""
    if (error := answer.get("error")) is not None:
        raise RpcError(int(error["code"]), str(error["message"]), error.get("data"))
    return answer["result"]
