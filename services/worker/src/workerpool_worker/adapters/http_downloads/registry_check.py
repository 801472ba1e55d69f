"""The check of a registry's address before the engine pulls an image from it."""

import socket

from workerpool_worker.adapters.http_downloads.resolver import (
    CheckedResolver,
    Lookup,
    is_own_address,
    system_lookup,
)
from workerpool_worker.domain.fetching.addresses import AllowedHosts
from workerpool_worker.domain.fetching.hosts import AddressRefused, check_address, check_literal
from workerpool_worker.domain.fetching.urls import InvalidUrl, parse_url


class RegistryCheck:
    """Refuses registries at addresses that requesters may not reach: the engine would probe them for a requester.

    The engine resolves the name again, so this stops a scan of private networks, not a name that changes in between.
    """

    def __init__(self, allowed: AllowedHosts, lookup: Lookup = system_lookup) -> None:
        self._allowed = allowed
        self._resolver = CheckedResolver(allowed, lookup)

    async def __call__(self, registry: str) -> None:
        """Check a registry such as `registry.example.com:5000`. Raises `AddressRefused`."""
        try:
            url = parse_url(f"https://{registry}")
        except InvalidUrl as invalid:
            raise AddressRefused(f"its registry is malformed: {registry}") from invalid
        check_literal(url, self._allowed)
        if url.address is not None:
            check_address(url.host, url.address, self._allowed, is_own_address)
            return
        try:
            await self._resolver.check(url.host)
        except socket.gaierror:
            return  # The engine names the outage, or its proxy knows the name.
