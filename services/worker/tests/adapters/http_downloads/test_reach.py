"""Whether the host's network leads to one of several servers."""

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address

import pytest
from workerpool_worker.adapters.http_downloads.reach import Reach, servers_of
from workerpool_worker.domain.fetching.addresses import IpAddress

NAME = "gateway.test"


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A server at this host that says nothing."""
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


class Names:
    """DNS of a test. Names that it does not know do not exist."""

    def __init__(self, **addresses: list[str]) -> None:
        self.addresses = {name.replace("_", "."): found for name, found in addresses.items()}
        self.asked: list[str] = []

    async def lookup(self, host: str) -> list[IpAddress]:
        self.asked.append(host)
        if host not in self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [ip_address(each) for each in self.addresses[host]]


async def test_one_server_that_accepts_a_connection_suffices(port: int) -> None:
    names = Names(gateway_test=["127.0.0.1"])
    reach = Reach(
        [f"http://127.0.0.1:{closed_port()}", "https://no.test", f"https://{NAME}:{port}"], names.lookup
    )
    assert await reach.any_answers()
    assert names.asked == ["no.test", NAME]
    assert await reach.any_answers()
    assert names.asked == ["no.test", NAME, NAME], "the one that answered is asked first"


async def test_the_next_address_of_a_name_is_tried(port: int) -> None:
    names = Names(gateway_test=["127.0.0.2", "127.0.0.1"])
    assert await Reach([f"http://{NAME}:{port}"], names.lookup).any_answers()


async def test_without_an_answer_the_network_does_not_work(port: int) -> None:
    names = Names(gateway_test=["127.0.0.1"])
    urls = [f"http://{NAME}:{closed_port()}", "https://no.test", f"http://127.0.0.1:{closed_port()}"]
    assert not await Reach(urls, names.lookup).any_answers()


async def test_without_servers_the_network_counts_as_working() -> None:
    assert await Reach([]).any_answers()


async def test_a_proxy_replaces_the_servers_behind_it(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names()
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
    assert await Reach([f"https://{NAME}"], names.lookup).any_answers()
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1")
    assert not await Reach([f"https://{NAME}"], names.lookup).any_answers()
    assert names.asked == [NAME]


def test_the_operators_servers_replace_the_gateways_but_not_its_registries() -> None:
    registries = ["docker.io", "registry.example.com:5000", "no registry"]
    assert servers_of((), ("https://gateway",), registries) == [
        "https://gateway",
        "https://registry-1.docker.io",
        "https://registry.example.com:5000",
    ]
    assert servers_of(("https://own",), ("https://gateway",), []) == ["https://own"]
