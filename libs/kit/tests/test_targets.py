"""Ports and gRPC targets behind documented service URLs."""

import pytest
from workerpool_kit.targets import channel_address, grpc_port, grpc_target_of


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
        ("https://pool.example:13000", "https://pool.example:23000"),
        ("https://[2001:db8::1]:13000", "https://[2001:db8::1]:23000"),
    ],
)
def test_grpc_target_is_ten_thousand_above_the_documented_port(url: str, target: str) -> None:
    assert grpc_target_of(url) == target


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
    ],
)
def test_channel_address_says_whether_tls_is_used(target: str, address: tuple[str, bool]) -> None:
    assert channel_address(target) == address


@pytest.mark.parametrize("target", ["localhost", "ftp://localhost:1", "localhost:99999", ""])
def test_target_without_host_and_port_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="expected host:port"):
        channel_address(target)
