"""HTTP requests of tests: one call, one connection, the whole answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from patience import PATIENCE_S


@dataclass(frozen=True)
class HttpAnswer:
    """A complete HTTP response; header names are case-insensitive."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        """Return the body parsed as JSON."""
        return json.loads(self.text)


async def request(
    method: str,
    url: str,
    *,
    credentials: tuple[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: object = None,
    timeout: float = PATIENCE_S,
) -> HttpAnswer:
    """Send a request and return its answer, whatever its status.

    `credentials` are sent as HTTP basic authentication, `body` as JSON. Raises `aiohttp.ClientConnectionError`
    when the server cannot be reached and `TimeoutError` after `timeout` seconds.
    """
    sent = dict(headers or {})
    if credentials:
        sent["Authorization"] = aiohttp.encode_basic_auth(*credentials)
    limits = aiohttp.ClientTimeout(total=timeout)
    async with (
        aiohttp.ClientSession(timeout=limits) as http,
        http.request(method, url, headers=sent, json=body) as answer,
    ):
        return HttpAnswer(answer.status, answer.headers, await answer.text())


async def get(url: str, **options: Any) -> HttpAnswer:
    """Send a GET request; see `request`."""
    return await request("GET", url, **options)


async def post(url: str, **options: Any) -> HttpAnswer:
    """Send a POST request; see `request`."""
    return await request("POST", url, **options)
