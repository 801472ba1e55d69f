"""The operator's proxy for calls that leave the pool."""

import ipaddress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

_SCHEMES = {"ws": "http", "wss": "https"}
"""A WebSocket opens with an HTTP request, so it takes the same proxy."""


def proxy_of(url: str) -> str | None:
    """Return the proxy that the environment names for a URL, None without one.

    The variables are `http_proxy`, `https_proxy` and `no_proxy`, which also takes networks such as `10.0.0.0/8`. This
    host is never reached through a proxy.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxies = getproxies()
    proxy = proxies.get(_SCHEMES.get(parts.scheme, parts.scheme))
    if (
        not proxy
        or host == "localhost"
        or proxy_bypass(parts.netloc.rpartition("@")[2])
        or proxy_bypass(host)
    ):
        return None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return proxy
    exempt = address.is_loopback or any(address in network for network in _networks(proxies.get("no", "")))
    return None if exempt else proxy


def _networks(no_proxy: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found = []
    for entry in no_proxy.split(","):
        try:
            found.append(ipaddress.ip_network(entry.strip(), strict=False))
        except ValueError:
            continue
    return found
