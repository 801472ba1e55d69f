"""What apps may reach."""

from ipaddress import IPv4Address, IPv4Network

import pytest
from workerpool_worker.domain.containers.app_network import (
    AppNetworkRules,
    name_servers,
    parse_networks,
    parse_resolvers,
)

REFUSED = [
    *("0.0.0.1", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "169.254.169.254", "172.16.0.1"),
    *(
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.2",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
    ),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    "168.63.129.16",
]
GLOBAL = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.1",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "223.255.255.1",
]


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_not_global_are_refused(address: str) -> None:
    assert AppNetworkRules().refuses(IPv4Address(address))
    assert (
        not IPv4Address(address).is_global
        or address in ("168.63.129.16", "224.0.0.1", "239.255.255.255")
        or (address.startswith("192."))
    )


@pytest.mark.parametrize("address", GLOBAL)
def test_global_addresses_are_open(address: str) -> None:
    assert not AppNetworkRules().refuses(IPv4Address(address))


def test_an_operator_opens_a_network() -> None:
    rules = AppNetworkRules(parse_networks(["10.1.0.0/16"]))
    assert not rules.refuses(IPv4Address("10.1.2.3"))
    assert rules.refuses(IPv4Address("10.2.0.1"))


def test_networks_are_sorted_and_without_overlaps() -> None:
    values = ["192.168.1.0/24", "10.1.0.0/16", " 10.0.0.0/8", "10.0.0.0/8"]
    assert parse_networks(values) == (IPv4Network("10.0.0.0/8"), IPv4Network("192.168.1.0/24"))


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "fc00::/7", "ten", ""])
def test_a_wrong_network_is_named(wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong or "''"):
        parse_networks([wrong])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nameserver 10.255.255.53\n", ["10.255.255.53"]),
        ("search lan\nnameserver 192.168.1.1\nnameserver 10.0.0.1 # comment\n", ["10.0.0.1", "192.168.1.1"]),
        ("nameserver 8.8.8.8\nnameserver 127.0.0.53\nnameserver fd00::1\nnameserver\n", []),
        ("", []),
    ],
)
def test_private_name_servers_need_a_rule(text: str, found: list[str]) -> None:
    assert parse_resolvers(text) == tuple(IPv4Address(address) for address in found)


def test_name_servers_keep_their_order_without_those_that_only_the_host_reaches() -> None:
    text = "nameserver 192.168.1.1\nnameserver 127.0.0.53\nnameserver fd00::1\nnameserver 8.8.8.8\n"
    assert name_servers(text) == (IPv4Address("192.168.1.1"), IPv4Address("8.8.8.8"))


def test_equal_rules_share_their_names_and_others_do_not() -> None:
    rules, other = AppNetworkRules(), AppNetworkRules(resolvers=(IPv4Address("10.0.0.1"),))
    assert AppNetworkRules().network == rules.network
    assert {rules.network, rules.bridge, rules.table}.isdisjoint({other.network, other.bridge, other.table})


def test_an_interface_name_fits_in_the_kernel() -> None:
    assert len(AppNetworkRules().bridge) <= 15


def test_only_frames_of_the_bridge_need_a_kernel_with_rules_for_bridges() -> None:
    rules = AppNetworkRules()
    assert "table bridge" in rules.ruleset()
    assert "table bridge" not in rules.ruleset(bridge_frames=False)
