"""Ways to a URL: directly with checked addresses, directly to an operator's server, or through the operator's proxy."""

import base64
import socket
from collections.abc import Mapping
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from workerpool_worker.adapters.http_downloads.resolver import (
    CheckedResolver,
    Lookup,
    is_own_address,
    system_lookup,
)
from workerpool_worker.domain.fetching.hosts import check_address, check_literal
from workerpool_worker.domain.fetching.limits import DownloadLimits
from workerpool_worker.domain.fetching.urls import DownloadUrl

_HEADERS = {"Accept-Encoding": "identity"}


class Routes:
    """Sends requests. It owns two sessions, since a connector has one resolver."""

    def __init__(self, limits: DownloadLimits, lookup: Lookup = system_lookup) -> None:
        """Open the sessions; call it in the event loop."""
        self._allowed = limits.allowed
        self._resolver = CheckedResolver(limits.allowed, lookup)
        self._checked = _session(limits, self._resolver)
        self._unchecked = _session(limits, None)

    async def close(self) -> None:
        """Close the sessions."""
        await self._checked.close()
        await self._unchecked.close()

    async def get(
        self, url: DownloadUrl, *, is_operators: bool, headers: Mapping[str, str] | None = None
    ) -> tuple[aiohttp.ClientResponse, bool]:
        """Send a request; return the answer and whether a proxy gave it. Redirects are not followed.

        `is_operators` says that the operator chose the server, so that its address is not checked. Raises
        `AddressRefused` and the errors of aiohttp.
        """
        proxy = proxy_of(url)
        if not is_operators:
            check_literal(url, self._allowed)
            if url.address is not None and not self._allowed.allows_name(url.host):
                check_address(url.host, url.address, self._allowed, is_own_address)
            if proxy is not None and url.address is None:
                await self._check_before_proxy(url.host)
        session = self._unchecked if is_operators or proxy is not None else self._checked
        response = await session.get(
            URL(url.request_text, encoded=True),
            proxy=proxy,
            headers={**_credentials(url), **(headers or {})},
            allow_redirects=False,
        )
        return response, proxy is not None

    async def _check_before_proxy(self, host: str) -> None:
        """Check the addresses of a name that a proxy will resolve. A name that only the proxy knows is its business."""
        try:
            await self._resolver.check(host)
        except socket.gaierror:
            return


def _credentials(url: DownloadUrl) -> dict[str, str]:
    if url.user is None:
        return {}
    encoded = base64.b64encode(f"{url.user}:{url.password}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


def _session(limits: DownloadLimits, resolver: CheckedResolver | None) -> aiohttp.ClientSession:
    """Open a session that keeps nothing of one download for the next: no connection, no cookie, no DNS answer.

    The environment is not trusted, since it would add the operator's netrc passwords to requests that requesters
    choose; proxies are read here instead.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, force_close=True, limit=0),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.connect_s),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_HEADERS,
        auto_decompress=False,
    )


def proxy_of(url: DownloadUrl) -> str | None:
    """Return the proxy that the environment (`HTTPS_PROXY`, `NO_PROXY` …) names for a URL."""
    return None if proxy_bypass(url.host) else getproxies().get(url.scheme)
