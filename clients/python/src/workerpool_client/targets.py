"""Addresses of a pool: which are spoken to with TLS, and which get credentials without."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from workerpool_client.errors import WorkerpoolError

_DNS = "dns:///"
_HTTPS_PORT = 443
_FORMS = "host:port, https://host[:port], http://host:port or dns:///host:port"


@dataclass(frozen=True)
class Target:
    """Where gRPC connects to."""

    address: str
    """`host:port`; an IPv6 host has brackets."""
    host: str
    """The host without brackets."""
    tls: bool

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine."""
        return _is_loopback(self.host)


def parse_target(text: str) -> Target:
    """Return the target of an address.

    `https://` means TLS with port 443 unless one is named, `http://` means none. Without a scheme, and with `dns:///`,
    a loopback address is spoken to in clear and any other with TLS. Raises WorkerpoolError (INVALID_TARGET).
    """
    plain = text.removeprefix(_DNS)
    try:
        parts = urlsplit(plain if "//" in plain else f"//{plain}")
        host, port = parts.hostname or "", parts.port or 0
    except ValueError:
        host, port, parts = "", 0, urlsplit("")
    if parts.scheme == "https":
        port = port or _HTTPS_PORT
    if parts.scheme not in ("", "http", "https") or not host or not port or parts.path not in ("", "/"):
        raise WorkerpoolError("INVALID_TARGET", f"{text!r} is not the address of a pool", f"write {_FORMS}")
    tls = not _is_loopback(host) if parts.scheme == "" else parts.scheme == "https"
    return Target(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", host, tls)


def check_cleartext(target: Target, *, allowed: bool) -> None:
    """Raise WorkerpoolError (CLEARTEXT_REFUSED) when credentials would leave this host without TLS."""
    if not (target.tls or target.is_loopback or allowed):
        raise WorkerpoolError(
            "CLEARTEXT_REFUSED",
            f"the credentials would travel to {target.host} without TLS",
            "give an https:// address, or allow cleartext if the network between the two is private",
        )


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.rstrip(".").lower() == "localhost"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback
