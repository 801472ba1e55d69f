"""JSON-RPC bodies over HTTP: one persistent connection pool per node."""

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from workerpool_poco.chain.proxies import proxy_of
from workerpool_poco.protocol.encoding.json_text import loads_bounded

_ASK_AGAIN_STATUSES = frozenset({408, 425, 429})
"""HTTP statuses below 500 after which a request is repeated."""


class Transport:
    """JSON-RPC over one persistent aiohttp session."""

    def __init__(self, node_url: str, *, timeout: float, max_connections: int) -> None:
        self._url = node_url
        self._proxy = proxy_of(node_url)
        self._limit = max_connections
        self._time_limit = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None
        self._numbers = itertools.count(1)
        self.connections = 0
        """Connections opened so far. Another node may answer on a new one."""

    async def request(self, method: str, params: Sequence[Any], *, timeout: float | None = None) -> Any:
        """Send one request and return the decoded body of the response, of any shape.

        `timeout` replaces the time limit of the session, in seconds.
        """
        return await self._post(self._body(method, params), timeout)

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

    async def _count_connection(self, *_: object) -> None:
        self.connections += 1

    def _body(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": list(params)}

    async def _post(self, body: Any, timeout: float | None = None) -> Any:
        if self._session is None or self._session.closed:
            trace = aiohttp.TraceConfig()
            trace.on_connection_create_end.append(self._count_connection)
            self._session = aiohttp.ClientSession(
                trace_configs=[trace],
                connector=aiohttp.TCPConnector(limit=self._limit),
                timeout=self._time_limit,
                headers={"Content-Type": "application/json"},
            )
        limit = self._time_limit if timeout is None else aiohttp.ClientTimeout(total=timeout)
        async with self._session.post(
            self._url, data=json.dumps(body), timeout=limit, proxy=self._proxy
        ) as response:
            content = await response.read()
            if response.status < 500 and response.status not in _ASK_AGAIN_STATUSES:
                answer = loads_bounded(content, max_bytes=None)
                # Some providers send a JSON-RPC error with an HTTP error status, e.g. for a range of logs.
                if response.ok or (isinstance(answer, dict) and answer.get("error")):
                    return answer
            response.raise_for_status()
            return loads_bounded(content, max_bytes=None)


def retry_after_s(headers: Mapping[str, str] | None, now: datetime | None = None) -> float | None:
    """Return the seconds after which the server wants the request again; None without a usable Retry-After.

    The header (RFC 9110, 10.2.3) holds seconds, or an HTTP date, which is compared with `now` (default: this moment).
    Some providers send fractions of a second.
    """
    text = "" if headers is None else headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        return _until(text, now or datetime.now(UTC))
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _until(date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - now).total_seconds(), 0.0)
