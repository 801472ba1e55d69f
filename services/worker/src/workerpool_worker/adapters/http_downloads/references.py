"""Reference servers: they distinguish an outage of this host from one of a requester's server."""

import asyncio
from collections.abc import Sequence

import aiohttp

from workerpool_worker.adapters.http_downloads.failures import PROXY_LOGIN
from workerpool_worker.adapters.http_downloads.routes import Routes
from workerpool_worker.domain.fetching.urls import DownloadUrl, parse_url

_ANSWER_LIMIT_S = 10.0
_REMEMBERED_S = 60.0


class References:
    """Servers that the operator trusts to be up. If none answers, this host's DNS, TLS, proxy or network is down."""

    def __init__(self, urls: Sequence[str], routes: Routes) -> None:
        self._urls = [parse_url(url) for url in urls]
        self._routes = routes
        self._checking = asyncio.Lock()
        self._answered_at = float("-inf")

    async def any_answers(self) -> bool:
        """Return whether a reference server answers now or did within the last minute; True without servers."""
        async with self._checking:
            loop = asyncio.get_running_loop()
            if not self._urls or loop.time() < self._answered_at + _REMEMBERED_S:
                return True
            for url in self._urls:
                if await self._answers(url):
                    self._answered_at = loop.time()
                    return True
            return False

    async def _answers(self, url: DownloadUrl) -> bool:
        try:
            async with asyncio.timeout(_ANSWER_LIMIT_S):
                response, _ = await self._routes.get(url, is_operators=True)
        except (aiohttp.ClientError, OSError):
            return False
        response.close()
        return response.status != PROXY_LOGIN
