"""The address of a caller: that of its connection, or the one that a trusted reverse proxy forwards."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import unquote

FORWARDED_FOR = "x-forwarded-for"
"""The header, or key of gRPC metadata, in which a reverse proxy forwards the caller's address."""
THIS_HOST = "127.0.0.1,::1"
"""The proxies that are trusted by default: those of this host."""

_EVERY = "*"


class TrustedProxies:
    """The reverse proxies that are trusted to forward a caller's address."""

    def __init__(self, addresses: str = THIS_HOST) -> None:
        """Take addresses and networks, separated by commas, or `*` for every peer. Raises ValueError for others."""
        self._every = addresses.strip() == _EVERY
        parts = [] if self._every else [part.strip() for part in addresses.split(",") if part.strip()]
        self._networks: list[IPv4Network | IPv6Network] = [ip_network(part) for part in parts]

    def caller(self, peer: str, forwarded_for: str) -> str:
        """Return the address of the caller behind a peer.

        Args:
            peer: address of the connection, without its port.
            forwarded_for: the header: a list of addresses, to which each proxy appends that of its peer.
        """
        caller = peer
        for named in reversed([each.strip() for each in forwarded_for.split(",") if each.strip()]):
            if not self.trusts(caller):
                break
            caller = named
            if self._every:
                # Only the trusted proxies are reliable; the caller may have forged the rest of the header.
                break
        return caller

    def trusts(self, address: str) -> bool:
        """Return whether an address is that of a trusted proxy."""
        if self._every:
            return True
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(parsed, "ipv4_mapped", None)
        return any((mapped or parsed) in network for network in self._networks)


def address_of_peer(peer: str) -> str:
    """Return the address in gRPC's name of a peer, such as `ipv4:10.0.0.7:5000` or `ipv6:%5B::1%5D:5000`."""
    family, _, rest = peer.partition(":")
    if family not in ("ipv4", "ipv6"):
        return peer
    return unquote(rest).rpartition(":")[0].strip("[]")
