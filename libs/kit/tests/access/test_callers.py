"""The address of a caller behind reverse proxies."""

import pytest
from workerpool_kit.access.callers import TrustedProxies, address_of_peer

CALLER, FORGED = "203.0.113.7", "198.51.100.1"


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:10.0.0.7:5000", "10.0.0.7"),
        ("ipv6:%5B2001:db8::1%5D:5000", "2001:db8::1"),
        ("ipv6:[::1]:5000", "::1"),
        ("unix:/run/socket", "unix:/run/socket"),
        ("", ""),
    ],
)
def test_the_address_of_a_peer_has_no_port(peer: str, address: str) -> None:
    assert address_of_peer(peer) == address


@pytest.mark.parametrize(
    ("trusted", "peer", "header", "caller"),
    [
        ("127.0.0.1,::1", "127.0.0.1", CALLER, CALLER),
        ("127.0.0.1,::1", "::ffff:127.0.0.1", CALLER, CALLER),
        ("127.0.0.1,::1", "::1", CALLER, CALLER),
        ("127.0.0.1", "127.0.0.1", "", "127.0.0.1"),
        # Only a proxy is believed, and of what it passes on only what it added itself.
        ("127.0.0.1", CALLER, FORGED, CALLER),
        ("127.0.0.1", "127.0.0.1", f"{FORGED}, {CALLER}", CALLER),
        ("127.0.0.1,10.0.0.0/8", "127.0.0.1", f"{FORGED}, {CALLER}, 10.1.2.3", CALLER),
        ("*", "10.1.2.3", f"{FORGED}, {CALLER}", CALLER),
        ("*", "unix:", CALLER, CALLER),
        ("10.0.0.0/8", "unix:", CALLER, "unix:"),
        ("", "127.0.0.1", CALLER, "127.0.0.1"),
    ],
)
def test_a_trusted_proxy_names_the_caller(trusted: str, peer: str, header: str, caller: str) -> None:
    assert TrustedProxies(trusted).caller(peer, header) == caller


def test_another_text_is_refused() -> None:
    with pytest.raises(ValueError, match="proxy"):
        TrustedProxies("proxy.example")
