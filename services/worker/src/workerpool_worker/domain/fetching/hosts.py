"""Checks of the hosts of URLs: by their spelling before a request, by their addresses after DNS."""

from collections.abc import Callable

from workerpool_worker.domain.fetching.addresses import AllowedHosts, IpAddress, special_kind
from workerpool_worker.domain.fetching.urls import DownloadUrl

_REMEDY = "an operator can allow it with WORKERPOOL_WORKER_DOWNLOAD_ALLOWED_HOSTS"


class AddressRefused(ValueError):
    """The URL leads to an address that requesters may not reach. The message names it."""


def check_literal(url: DownloadUrl, allowed: AllowedHosts) -> None:
    """Check what a URL's host says without DNS. Raises `AddressRefused`."""
    if allowed.allows_name(url.host):
        return
    if url.host == "localhost" or url.host.endswith(".localhost"):
        raise AddressRefused(
            f"{url} leads to a loopback address, which files cannot be downloaded from; {_REMEDY}"
        )
    if url.address is not None:
        check_address(url.host, url.address, allowed)


def check_address(
    host: str,
    address: IpAddress,
    allowed: AllowedHosts,
    is_own: Callable[[IpAddress], bool] = lambda _: False,
) -> None:
    """Check an address of a host. `is_own` recognises the addresses of this machine. Raises `AddressRefused`."""
    if allowed.allows_address(address):
        return
    kind = special_kind(address)
    if kind is None and is_own(address):
        kind = "an address of the worker itself"
    if kind is not None:
        # Do not reveal the address of a name: requesters would learn names of the operator's networks.
        verb = "is" if host == str(address) else "leads to"
        raise AddressRefused(f"{host} {verb} {kind}, which files cannot be downloaded from; {_REMEDY}")
