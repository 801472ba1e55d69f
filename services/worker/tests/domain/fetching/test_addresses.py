"""Addresses that requesters may reach, and the operator's exceptions."""

from ipaddress import IPv4Address, ip_address

import pytest
from workerpool_worker.domain.fetching.addresses import AllowedHosts, literal_address, special_kind
from workerpool_worker.domain.fetching.hosts import AddressRefused, check_address

REFUSED = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "10.0.0.0": "private",
    "10.255.255.255": "private",
    "100.64.0.1": "carrier",
    "100.127.255.255": "carrier",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "169.254.0.1": "link-local",
    "169.254.169.254": "link-local",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.192": "reserved",
    "192.0.2.1": "reserved",
    "192.88.99.1": "reserved",
    "192.168.0.1": "private",
    "198.18.0.1": "private",
    "198.19.255.255": "private",
    "198.51.100.1": "reserved",
    "203.0.113.1": "reserved",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "::": "unspecified",
    "::1": "loopback",
    "::2": "reserved",
    "::127.0.0.1": "reserved",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:10.0.0.1": "private",
    "::ffff:169.254.169.254": "link-local",
    "::ffff:0:127.0.0.1": "reserved",
    "64:ff9b::127.0.0.1": "loopback",
    "64:ff9b::a9fe:a9fe": "link-local",
    "64:ff9b:1::1": "reserved",
    "100::1": "reserved",
    "2001::1": "reserved",
    "2001:db8::1": "reserved",
    "2002:7f00:1::1": "6to4",
    "2002:808:808::1": "6to4",
    "3fff::1": "reserved",
    "4000::1": "reserved",
    "fc00::1": "private",
    "fd00:ec2::254": "private",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "febf::1": "link-local",
    "fec0::1": "private",
    "ff02::1": "multicast",
}
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2606:4700::1111",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]


@pytest.mark.parametrize(("address", "kind"), REFUSED.items())
def test_data_private_an_address_that_is_not_public_is_refused(address: str, kind: str) -> None:
    assert kind in str(special_kind(ip_address(address)))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_accepted(address: str) -> None:
    assert special_kind(ip_address(address)) is None


@pytest.mark.parametrize("address", [*REFUSED, *PUBLIC])
def test_no_address_is_accepted_that_python_calls_private(address: str) -> None:
    """The table of this project is at least as strict as the standard library's, embedded addresses aside."""
    parsed = ip_address(address)
    if special_kind(parsed) is None and not address.startswith(("::ffff:", "64:ff9b:")):
        assert parsed.is_global
        assert not parsed.is_multicast


@pytest.mark.parametrize(
    "spelling",
    [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0X7F.1",
        "0x7f.0x0.0x0.0x1",
        "0177.0.0.1",
        "017700000001",
        "00000177.0.0.1",
        "127.0.0.0x1",
        "127.0x1",
    ],
)
def test_data_private_loopback_in_any_spelling(spelling: str) -> None:
    assert literal_address(spelling) == IPv4Address("127.0.0.1")


@pytest.mark.parametrize(
    "host",
    [
        "256.0.0.1",
        "1.2.3.4.5",
        "4294967296",
        "1.2.3.256",
        "099",
        "0x100000000",
        "a.1",
        "1..2",
        "::g",
        "fe80::1%eth0",
    ],
)
def test_a_malformed_address_is_no_name(host: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        literal_address(host)


@pytest.mark.parametrize("host", ["example.com", "1.example", "0x7f.example", "0xg", "localhost", "1-2"])
def test_a_name_is_no_address(host: str) -> None:
    assert literal_address(host) is None


def test_the_operator_allows_networks_and_names() -> None:
    allowed = AllowedHosts.parse(
        ["10.1.0.0/16", "::1", "[fd00::1]", "Files.Example.com", ".local.test", "*.a.test"]
    )
    for address in ("10.1.2.3", "::1", "fd00::1", "::ffff:10.1.2.3"):
        check_address("host", ip_address(address), allowed)
    for address in ("10.2.0.1", "fd00::2"):
        with pytest.raises(AddressRefused):
            check_address("host", ip_address(address), allowed)
    for name in ("files.example.com", "x.local.test", "x.y.local.test", "b.a.test"):
        assert allowed.allows_name(name)
    for name in ("example.com", "xfiles.example.com", "local.test", "a.test", "a.test.evil"):
        assert not allowed.allows_name(name)


@pytest.mark.parametrize(
    "entry", ["10.0.0.0/40", "http://x", "a b", "10.1.2.3/8", "", "x:80", "300.1.1.1", "a/b"]
)
def test_an_unreadable_exception_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="expected a network"):
        AllowedHosts.parse([entry])
