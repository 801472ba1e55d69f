"""JSON-RPC bodies over HTTP: one persistent connection pool per node."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

import aiohttp

_ASK_AGAIN_STATUSES = frozenset({408, 425, 429})
"""HTTP statuses below 500 after which a request is repeated."""


class Transport:
    """JSON-RPC over one persistent aiohttp session."""

    def __init__(self, node_url: str, *, timeout: float, max_connections: int) -> None:
        self._url = node_url
        self._limit = max_connections
        self._time_limit = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None
        self._numbers = itertools.count(1)

    async def request(self, method: str, params: Sequence[Any]) -> Any:
        """Send one request and return the decoded body of the response, of any shape."""
        return await self._post(self._body(method, params))

    async def request_batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> Any:
        """Send many requests in one body and return the decoded body of the response.

        The list of a node that supports batches is in the order of the calls, with None for a missing answer.
        """
        bodies = [self._body(*call) for call in calls]
        answer = await self._post(bodies)
        if not isinstance(answer, list):
            return answer
        by_number = {repr(item.get("id")): item for item in answer if isinstance(item, dict)}
        return [by_number.get(repr(body["id"])) for body in bodies]

    async def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _body(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": list(params)}

    async def _post(self, body: Any) -> Any:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._limit),
                timeout=self._time_limit,
                headers={"Content-Type": "application/json"},
            )
        async with self._session.post(self._url, data=json.dumps(body)) as response:
            content = await response.read()
            if response.status < 500 and response.status not in _ASK_AGAIN_STATUSES:
                answer = json.loads(content)
                # Some providers send a JSON-RPC error with an HTTP error status, e.g. for a range of logs.
                if response.ok or (isinstance(answer, dict) and answer.get("error")):
                    return answer
            response.raise_for_status()
            return json.loads(content)
