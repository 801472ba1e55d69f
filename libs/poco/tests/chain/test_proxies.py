"""The operator's proxy: for nodes outside, never for this host."""

import asyncio

import pytest
from workerpool_poco.chain.proxies import proxy_of
from workerpool_poco.chain.rpc import JsonRpc

PROXY = "http://proxy.example:3128"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    "url", ["http://node.example:8545", "ws://node.example", "http://10.0.0.9:1", "http://[fd00::9]:1"]
)
def test_an_outside_url_takes_the_proxy_of_its_protocol(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert proxy_of(url) is None
    monkeypatch.setenv("https_proxy", "http://other.example:1")
    assert proxy_of(url) is None
    monkeypatch.setenv("http_proxy", PROXY)
    assert proxy_of(url) == PROXY


def test_a_url_with_tls_takes_the_other_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    assert [proxy_of("https://node.example"), proxy_of("wss://node.example")] == [PROXY, PROXY]


@pytest.mark.parametrize(
    "url", ["http://localhost:8545", "http://127.0.0.1:8545", "http://[::1]:8545", "ws://127.0.0.2"]
)
def test_this_host_is_reached_directly(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("http_proxy", PROXY)
    assert proxy_of(url) is None


@pytest.mark.parametrize(
    ("no_proxy", "url", "proxied"),
    [
        ("node.example", "http://node.example:1", False),
        (".example", "http://node.example", False),
        ("other", "http://node.example", True),
        ("10.0.0.0/8, fd00::/8", "http://10.1.2.3:1", False),
        ("10.0.0.0/8, fd00::/8", "http://[fd00::3]:1", False),
        ("10.0.0.0/8", "http://11.0.0.1", True),
        ("*", "http://node.example", False),
    ],
)
def test_servers_of_no_proxy_are_reached_directly(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, proxied: bool
) -> None:
    monkeypatch.setenv("http_proxy", PROXY)
    monkeypatch.setenv("no_proxy", no_proxy)
    assert (proxy_of(url) is not None) is proxied


async def test_calls_to_a_node_go_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the proxy can resolve the name of this node."""
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        body = b'{"jsonrpc": "2.0", "id": 1, "result": "0x7"}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(proxy, "127.0.0.1", 0) as server:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        rpc = JsonRpc("http://node.invalid:8545", attempts=1)
        assert await rpc.call("eth_blockNumber") == "0x7"
        await rpc.close()
    assert asked[0].startswith(b"POST http://node.invalid:8545")
