"""What apps may reach: the internet, but neither the host, the pool, nor private or special networks."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

REFUSED_NETWORKS = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "168.63.129.16/32",
    )
)
"""Everything that is not global: the IANA IPv4 special-purpose registry (RFC 6890), multicast and reserved space.

The last one is Azure's metadata address, which is inside a global network.
"""

NETWORK_PREFIX, _TABLE_PREFIX = "workerpool-apps-", "workerpool_apps_"
_DNS_PORT = 53


@dataclass(frozen=True, slots=True)
class AppNetworkRules:
    """Firewall rules of the network of apps, as nftables text.

    The rules match the network's bridge, whatever source address packets claim. They are separate tables: no restart
    of Docker or of a firewall service changes them, and what they drop no other table can accept. Equal rules have
    equal names, so workers with the same settings share one network, and others do not disturb it.
    """

    allowed: tuple[IPv4Network, ...] = ()
    """Networks that the operator opens although they are not global. The host itself stays closed."""
    resolvers: tuple[IPv4Address, ...] = ()
    """Name servers of the engine's host. Apps reach port 53 of them, because the engine forwards from their network."""

    @property
    def network(self) -> str:
        """Name of the Docker network."""
        return f"{NETWORK_PREFIX}{self._fingerprint}"

    @property
    def bridge(self) -> str:
        """Name of the network's interface on the engine's host, at most 15 characters."""
        return f"wpapps{self._fingerprint}"

    @property
    def table(self) -> str:
        """Name of the two firewall tables: one for IP packets, one for frames between the bridge's ports."""
        return table_of(self.network)

    def refuses(self, address: IPv4Address) -> bool:
        """Return whether apps cannot reach an address that is not the host's own."""
        return _within(address, REFUSED_NETWORKS) and not _within(address, self.allowed)

    def ruleset(self, *, bridge_frames: bool = True) -> str:
        """Return a script that replaces the tables in one transaction.

        Without `bridge_frames` the frames between two apps are only dropped where the kernel passes them to the IP
        rules (`net.bridge.bridge-nf-call-iptables`).
        """
        families = ("inet", "bridge") if bridge_frames else ("inet",)
        replaced = "".join(
            f"table {family} {self.table}\ndelete table {family} {self.table}\n" for family in families
        )
        tables = self._ip_table(self.bridge, self.table)
        return replaced + tables + (self._frame_table() if bridge_frames else "")

    @property
    def _fingerprint(self) -> str:
        return hashlib.sha256(self._ip_table("", "").encode()).hexdigest()[:8]

    def _ip_table(self, bridge: str, table: str) -> str:
        dns = "".join(
            f"        ip daddr {{ {_listed(self.resolvers)} }} {protocol} dport {_DNS_PORT} accept\n"
            for protocol in ("udp", "tcp")
            if self.resolvers
        )
        allowed = f"        ip daddr {{ {_listed(self.allowed)} }} accept\n" if self.allowed else ""
        return f"""table inet {table} {{
    chain from_apps {{
        meta nfproto ipv6 drop
{dns}{allowed}        ip daddr {{ {_listed(REFUSED_NETWORKS)} }} reject with icmpx type admin-prohibited
    }}
    chain to_host {{
        meta nfproto ipv6 drop
        meta pkttype != host drop
{dns}        reject with icmpx type admin-prohibited
    }}
    chain forwarded {{
        type filter hook forward priority -10; policy accept;
        iifname "{bridge}" jump from_apps
        oifname "{bridge}" ct state != {{ established, related }} drop
    }}
    chain received {{
        type filter hook input priority -10; policy accept;
        iifname "{bridge}" jump to_host
    }}
}}
"""

    def _frame_table(self) -> str:
        return f"""table bridge {self.table} {{
    chain between_apps {{
        type filter hook forward priority -10; policy accept;
        meta ibrname "{self.bridge}" drop
    }}
}}
"""


def table_of(network: str) -> str:
    """Return the name of the firewall tables of a network of apps."""
    return _TABLE_PREFIX + network.removeprefix(NETWORK_PREFIX)


def parse_networks(values: Iterable[str]) -> tuple[IPv4Network, ...]:
    """Return networks, sorted and without overlaps. Raises ValueError that names the wrong text."""
    networks = sorted({_parse_network(value.strip()) for value in values})
    return tuple(
        network
        for network in networks
        if not any(network != other and network.subnet_of(other) for other in networks)
    )


def _parse_network(value: str) -> IPv4Network:
    try:
        return IPv4Network(value)
    except ValueError as problem:
        raise ValueError(f"{value!r} is not an IPv4 network such as 10.1.0.0/16: {problem}") from None


def name_servers(resolv_conf: str) -> tuple[IPv4Address, ...]:
    """Return the IPv4 name servers of a `resolv.conf`, in its order, without those on the loopback."""
    found = []
    for line in resolv_conf.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            try:
                found.append(IPv4Address(words[1]))
            except ValueError:
                continue  # an IPv6 address: the network of apps has none
    return tuple(address for address in found if not address.is_loopback)


def parse_resolvers(resolv_conf: str) -> tuple[IPv4Address, ...]:
    """Return the IPv4 name servers of a `resolv.conf` that the rules would refuse, sorted.

    The engine queries loopback name servers from the host, so they need no rule.
    """
    return tuple(
        sorted({address for address in name_servers(resolv_conf) if _within(address, REFUSED_NETWORKS)})
    )


def _within(address: IPv4Address, networks: Iterable[IPv4Network]) -> bool:
    return any(address in network for network in networks)


def _listed(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)
