"""Address and scheme of a request behind reverse proxies."""

import asyncio
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from workerpool_kit.access.callers import TrustedProxies
from workerpool_kit.http.forwarded import BehindProxies


def seen(peer: str, proxies: str, headers: list[tuple[str, str]]) -> tuple[str, str]:
    """Return the address and the scheme that an application sees."""
    found: list[tuple[str, str]] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        found.append((scope["client"][0], scope["scheme"]))

    scope: dict[str, Any] = {
        "type": "http",
        "scheme": "http",
        "client": (peer, 50000),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
    }
    unused: Any = None
    asyncio.run(BehindProxies(application, TrustedProxies(proxies))(scope, unused, unused))
    return found[0]


@pytest.mark.parametrize(
    ("peer", "proxies", "forwarded", "expected"),
    [
        ("10.0.0.7", "*", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.7", "*", ["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.7", "*", ["6.6.6.6", "203.0.113.9"], "203.0.113.9"),
        ("10.0.0.7", "10.0.0.0/8", ["6.6.6.6, 203.0.113.9, 10.0.0.8"], "203.0.113.9"),
        ("10.0.0.7", "127.0.0.1,::1", ["203.0.113.9"], "10.0.0.7"),
        ("127.0.0.1", "127.0.0.1,::1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.7", "*", [], "10.0.0.7"),
    ],
    ids=["one", "forged", "forged-apart", "chain", "not-trusted", "this-host", "nothing-named"],
)
def test_the_address_is_the_one_that_the_nearest_proxy_saw(
    peer: str, proxies: str, forwarded: list[str], expected: str
) -> None:
    address, _ = seen(peer, proxies, [("X-Forwarded-For", each) for each in forwarded])
    assert address == expected


@pytest.mark.parametrize(
    ("proxies", "named", "expected"),
    [("*", "https", "https"), ("*", "gopher", "http"), ("127.0.0.1", "https", "http")],
)
def test_a_trusted_proxy_names_the_scheme(proxies: str, named: str, expected: str) -> None:
    _, scheme = seen("10.0.0.7", proxies, [("X-Forwarded-Proto", named)])
    assert scheme == expected
