"""Targets: the documented spelling of a service's address, and what gRPC needs."""

import pytest
from workerpool_kit.grpc_client import grpc_target_of, open_channel


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://localhost:13010", "localhost:23010"),
        ("http://localhost:13010/", "localhost:23010"),
        ("core:13000", "core:23000"),
        ("http://[::1]:8888", "[::1]:18888"),
        ("https://pool.example:13000", "https://pool.example:23000"),
    ],
)
def test_grpc_listens_ten_thousand_above_the_documented_port(url: str, target: str) -> None:
    assert grpc_target_of(url) == target


@pytest.mark.parametrize("url", ["http://localhost", "localhost", "http://localhost:60000", ""])
def test_a_url_without_a_usable_port_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="a URL with a host and a port"):
        grpc_target_of(url)


@pytest.mark.parametrize("target", ["localhost", "ftp://localhost:1", ""])
async def test_a_wrong_target_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="expected host:port"):
        open_channel(target)
