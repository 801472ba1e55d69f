"""Name resolution for downloads. The connection goes to the addresses that were checked."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from workerpool_kit.runtime.threads import in_daemon_thread

from workerpool_worker.domain.fetching.addresses import AllowedHosts, IpAddress
from workerpool_worker.domain.fetching.hosts import check_address

LOOKUP_LIMIT_S = 15.0
_MAX_ADDRESSES = 8
"""Addresses of one name that are tried, so that a name with hundreds of dead ones fails in time."""
_MAX_ANSWERS = 64
"""Addresses of one name that are considered; one answer of DNS can hold thousands."""
_DISCARD_PORT = 9

Lookup = Callable[[str], Awaitable[list[IpAddress]]]
"""Returns the addresses of a host name. Raises `socket.gaierror`."""


async def system_lookup(host: str) -> list[IpAddress]:
    """Return the addresses of a host name as the operating system resolves it.

    Each lookup has a thread of its own: a name server that never answers delays no other download.
    """

    def resolve() -> list[IpAddress]:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        return list(dict.fromkeys(ip_address(str(info[4][0])) for info in found))

    try:
        async with asyncio.timeout(LOOKUP_LIMIT_S):
            return await in_daemon_thread(resolve, name="name-lookup")
    except TimeoutError:
        raise socket.gaierror(socket.EAI_AGAIN, f"no answer from DNS within {LOOKUP_LIMIT_S:.0f} s") from None


def is_own_address(address: IpAddress) -> bool:
    """Return whether an address belongs to this machine. Sends nothing.

    The operating system chooses the destination itself as the source of a packet only if it is its own address.
    """
    family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), _DISCARD_PORT))
            return ip_address(probe.getsockname()[0]) == address
    except OSError:
        return False


class CheckedResolver(AbstractResolver):
    """Resolves names for a connector. Raises `AddressRefused` unless every address of a name may be reached."""

    def __init__(self, allowed: AllowedHosts, lookup: Lookup = system_lookup) -> None:
        self._allowed = allowed
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the checked addresses of a host."""
        addresses = await self.check(host)
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses[:_MAX_ADDRESSES]
        ]

    async def check(self, host: str) -> list[IpAddress]:
        """Return the addresses of a host after a check of each. Raises `AddressRefused` or `socket.gaierror`."""
        addresses = (await self._lookup(host))[:_MAX_ANSWERS]
        if not self._allowed.allows_name(host):
            for address in addresses:
                check_address(host, address, self._allowed, is_own_address)
        return addresses

    async def close(self) -> None:
        """Do nothing: a resolver holds no connection."""
