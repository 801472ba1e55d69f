"""Checks whether this host's network reaches the servers that tasks need: registries and IPFS gateways."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress

from workerpool_worker.adapters.http_downloads.resolver import Lookup, system_lookup
from workerpool_worker.adapters.http_downloads.routes import proxy_of
from workerpool_worker.domain.fetching.registries import DOCKER_HUB, credentials_defect
from workerpool_worker.domain.fetching.urls import DownloadUrl, InvalidUrl, parse_url

_CONNECT_LIMIT_S = 5.0
_ADDRESSES = 2
"""Addresses of one name that are tried."""
_HUB = "registry-1.docker.io"


def servers_of(references: Sequence[str], gateways: Sequence[str], registries: Iterable[str]) -> list[str]:
    """Return the URLs of servers of which at least one answers while the network works.

    These are the operator's reference servers, else the gateways and Docker Hub; and registries with credentials.
    """
    named = list(references) or [*gateways, f"https://{_HUB}"]
    usable = [key for key in registries if not credentials_defect(key)]
    return list(dict.fromkeys([*named, *(f"https://{_HUB if key == DOCKER_HUB else key}" for key in usable)]))


class Reach:
    """Opens connections to servers and sends nothing. The operator chose the servers, so no address is refused."""

    def __init__(self, urls: Sequence[str], lookup: Lookup = system_lookup) -> None:
        """Store the servers. If the environment names an HTTP proxy for a server, the proxy is tried instead.

        Raises InvalidUrl.
        """
        self._urls = [parse_url(url) for url in urls]
        self._lookup = lookup

    async def any_answers(self) -> bool:
        """Return whether a server accepts a connection, each within some seconds; True without servers."""
        for url in list(self._urls):
            if await _accepts(_hop(url), self._lookup):
                # It most likely answers the next time too.
                self._urls.sort(key=lambda each: each is not url)
                return True
        return not self._urls


def _hop(url: DownloadUrl) -> DownloadUrl:
    """Return the server that a request for a URL goes to."""
    proxy = proxy_of(url)
    # A proxy of another kind, such as SOCKS, is none for aiohttp either.
    with suppress(InvalidUrl):
        if proxy is not None:
            return parse_url(proxy)
    return url


async def _accepts(server: DownloadUrl, lookup: Lookup) -> bool:
    """Return whether a server accepts a connection."""
    with suppress(OSError):
        async with asyncio.timeout(_CONNECT_LIMIT_S):
            addresses = [server.address] if server.address is not None else await lookup(server.host)
            for address in addresses[:_ADDRESSES]:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection(str(address), server.port)
                    writer.close()
                    return True
    return False
