"""Which IP addresses a requester's URL may reach: the public ones, in every spelling.

The table follows the IANA registries of special-purpose addresses (RFC 6890). It is written out, because the
classification in Python's `ipaddress` differs between patch releases.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

_SPECIAL: tuple[tuple[IpNetwork, str], ...] = tuple(
    (ip_network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "an unspecified address"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier's internal address"),
        ("127.0.0.0/8", "a loopback address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a reserved address"),
        ("192.31.196.0/24", "a reserved address"),
        ("192.52.193.0/24", "a reserved address"),
        ("192.88.99.0/24", "a reserved address"),
        ("192.168.0.0/16", "a private address"),
        ("192.175.48.0/24", "a reserved address"),
        ("198.18.0.0/15", "a private address"),
        ("198.51.100.0/24", "a reserved address"),
        ("203.0.113.0/24", "a reserved address"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::/128", "an unspecified address"),
        ("::1/128", "a loopback address"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a private address"),
        ("ff00::/8", "a multicast address"),
        ("2001::/23", "a reserved address"),
        ("2001:db8::/32", "a reserved address"),
        ("2002::/16", "a 6to4 address"),
        ("3fff::/20", "a reserved address"),
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_IPV4_BITS = 0xFFFF_FFFF


def embedded(address: IpAddress) -> IpAddress:
    """Return the IPv4 address inside an IPv4-mapped or NAT64 (RFC 6052) one, or the address itself.

    On a network without IPv4, DNS answers every IPv4 server with its NAT64 address.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if IPv6Address(int(address)) in _NAT64:
            return IPv4Address(int(address) & _IPV4_BITS)
    return address


def special_kind(address: IpAddress) -> str | None:
    """Return what is special about an address, such as `a private address`; None for a public address."""
    inner = embedded(address)
    if isinstance(inner, IPv6Address):
        inner = IPv6Address(int(inner))  # Drops a zone id.
    for network, kind in _SPECIAL:
        if inner.version == network.version and inner in network:
            return kind
    if isinstance(inner, IPv6Address) and inner not in _GLOBAL_UNICAST:
        return "a reserved address"
    return None


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The operator's exceptions: networks and host names that requesters may reach although they are not public."""

    networks: tuple[IpNetwork, ...] = ()
    names: frozenset[str] = frozenset()
    """Lower-case names. A name that begins with a dot matches every name below it."""

    @classmethod
    def parse(cls, entries: Sequence[str]) -> "AllowedHosts":
        """Return the exceptions of a setting. Raises ValueError for an entry that is no network and no name."""
        networks: list[IpNetwork] = []
        names: set[str] = set()
        for entry in entries:
            try:
                networks.append(ip_network(entry.strip("[]")))
            except ValueError:
                name = entry.lower().removeprefix("*").rstrip(".")
                labels = name.removeprefix(".").split(".")
                if "/" in entry or not all(_is_label(label) for label in labels) or labels[-1].isdigit():
                    raise ValueError(
                        f"{entry!r}: expected a network such as 10.1.0.0/16 or a host name"
                    ) from None
                names.add(name)
        return cls(tuple(networks), frozenset(names))

    def allows_name(self, host: str) -> bool:
        """Return whether a lower-case host name is allowed, whatever its addresses."""
        return host in self.names or any(name[0] == "." and host.endswith(name) for name in self.names)

    def allows_address(self, address: IpAddress) -> bool:
        """Return whether an address is in an allowed network."""
        return any(
            each.version == network.version and each in network
            for each in {address, embedded(address)}
            for network in self.networks
        )


def _is_label(text: str) -> bool:
    return (
        bool(text) and len(text) <= 63 and text.isascii() and text.replace("-", "").replace("_", "").isalnum()
    )


def literal_address(host: str) -> IpAddress | None:
    """Return the address that a URL's host spells, None if the host is a name. Raises ValueError.

    An IPv4 address has one to four parts, each decimal, octal (`0…`) or hexadecimal (`0x…`), as `inet_aton` and
    browsers read them: `2130706433`, `0x7f.1` and `0177.0.0.1` are 127.0.0.1. A host whose last part is a number is
    never a name.
    """
    if ":" in host:
        if "%" in host:
            raise ValueError("an address with a zone id is not accepted")
        return IPv6Address(host)
    parts = host.split(".")
    if not _is_numeric(parts[-1]):
        return None
    numbers = [_number(part) for part in parts]
    if len(numbers) > 4 or any(number > 0xFF for number in numbers[:-1]):
        raise ValueError("not an IPv4 address")
    value = numbers[-1]
    if value >= 1 << 8 * (5 - len(numbers)):
        raise ValueError("not an IPv4 address")
    for position, number in enumerate(numbers[:-1]):
        value |= number << 8 * (3 - position)
    return IPv4Address(value)


def _is_numeric(part: str) -> bool:
    return part.isdigit() or (
        part[:2] in ("0x", "0X") and all(c in "0123456789abcdefABCDEF" for c in part[2:])
    )


def _number(part: str) -> int:
    if not part or not part.isascii() or not _is_numeric(part):
        raise ValueError("not an IPv4 address")
    if part[:2] in ("0x", "0X"):
        return int(part[2:] or "0", 16)
    return int(part, 8) if part[0] == "0" and len(part) > 1 else int(part)
