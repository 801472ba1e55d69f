"""Ports and gRPC targets behind documented service URLs."""

import pytest
from workerpool_kit.targets import channel_address, grpc_port, grpc_target_of, host_of, service_url


@pytest.mark.parametrize(
    ("http_port", "override", "port"),
    [(13000, None, 23000), (13000, 5, 5), (13000, 0, 0), (0, None, 0), (0, 5, 5)],
)
def test_grpc_port_is_the_override_or_ten_thousand_above(
    http_port: int, override: int | None, port: int
) -> None:
    assert grpc_port(http_port, override) == port


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://localhost:13010", "localhost:23010"),
        ("http://localhost:13010/", "localhost:23010"),
        ("core:13000", "core:23000"),
        ("http://[::1]:8888", "[::1]:18888"),
    ],
)
def test_grpc_target_is_ten_thousand_above_the_documented_port(url: str, target: str) -> None:
    assert grpc_target_of(url) == target


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://pool.example", "https://pool.example:443"),
        ("https://pool.example/", "https://pool.example:443"),
        ("https://pool.example:8443", "https://pool.example:8443"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]:443"),
        ("https://pool.example:65535", "https://pool.example:65535"),
    ],
)
def test_grpc_target_with_tls_is_the_port_of_the_url(url: str, target: str) -> None:
    """A reverse proxy serves both on one port."""
    assert grpc_target_of(url) == target


@pytest.mark.parametrize(
    ("parts", "url"),
    [
        (("http", "core", 13000), "http://core:13000"),
        (("https", "::1", 443), "https://[::1]:443"),
        (("http", "[fd00::2]", 1), "http://[fd00::2]:1"),
    ],
)
def test_url_of_an_address_in_parts_has_brackets_where_needed(parts: tuple[str, str, int], url: str) -> None:
    assert service_url(*parts) == url


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://core:1", "core"),
        ("[fd00::2]:1", "fd00::2"),
        ("https://Pool.Example", "pool.example"),
        ("http://[::1", ""),
    ],
)
def test_host_of_an_address(address: str, host: str) -> None:
    assert host_of(address) == host


@pytest.mark.parametrize(
    "url", ["http://localhost", "localhost", "http://localhost:60000", "http://h:70000", "http://[::1", ""]
)
def test_url_without_a_usable_port_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="a URL with a host and a port"):
        grpc_target_of(url)


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("localhost:1", ("localhost:1", False)),
        ("http://localhost:1", ("localhost:1", False)),
        ("https://[::1]:1", ("[::1]:1", True)),
        ("https://pool.example", ("pool.example:443", True)),
    ],
)
def test_channel_address_says_whether_tls_is_used(target: str, address: tuple[str, bool]) -> None:
    assert channel_address(target) == address


@pytest.mark.parametrize("target", ["localhost", "ftp://localhost:1", "localhost:99999", ""])
def test_target_without_host_and_port_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="expected host:port"):
        channel_address(target)
