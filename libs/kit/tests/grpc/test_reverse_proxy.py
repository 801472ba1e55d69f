"""A service behind a reverse proxy that serves HTTP and gRPC with TLS on one port."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from certificates import Authority, identity_of
from patience import PATIENCE_S
from reverse_proxy import ReverseProxy, reverse_proxy
from workerpool_kit.access.authenticators import BasicAuthenticator
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.chain.config_client import ask_chain_config
from workerpool_kit.chain.config_route import config_chain_route
from workerpool_kit.grpc.client import open_service
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.tls.identity import identity
from workerpool_kit.tls.material import TlsFiles

from .echo import Echo, closed_to

CHAIN = ChainConfig(134, True, "http://node.example:8545", "0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f", 5.0)


@pytest.fixture
async def proxy(tmp_path: Path, contract: Any, serve: Any) -> AsyncIterator[ReverseProxy]:
    grpc_server = await serve(
        Echo(contract), authenticator=BasicAuthenticator("pool", "word", "owner"), policy=closed_to("owner")
    )
    http = HttpServer(0, health=Health(), version="1", host="127.0.0.1", routes=[config_chain_route(CHAIN)])
    await http.start()
    http.tell_grpc(grpc_server.port)
    authority = Authority(tmp_path)
    async with reverse_proxy(authority, http.port, grpc_server.port) as proxy:
        with identity_of(TlsFiles(ca=authority.file)):
            yield proxy
    await http.stop()


async def test_one_https_url_leads_to_http_and_to_grpc(proxy: ReverseProxy, contract: Any) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{proxy.url}/version", ssl=identity().client_context()) as answer,
    ):
        assert await answer.text() == "1"
    async with open_service(proxy.url, basic=("pool", "word")) as channel:
        stub = contract.grpc.EchoServiceStub(channel)
        assert (await stub.Unary(contract.pb2.Note(text="a"), timeout=PATIENCE_S)).text == "pool:a"
        assert [n.text async for n in stub.Chat(iter([contract.pb2.Note(text="x")]))] == ["pool:x"]
        assert channel.target == proxy.url
    assert proxy.passed == {"h2": 1, "http/1.1": 1}


async def test_the_chain_is_read_from_a_config_server_behind_it(proxy: ReverseProxy) -> None:
    """This one has no config service on gRPC, so the documented path answers."""
    assert await ask_chain_config(proxy.url, "TEST") == CHAIN
