"""The documented description of the chain, as scheduler and workers read it."""

from collections.abc import AsyncIterator

import pytest
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.chain.config_client import ask_chain_config
from workerpool_kit.chain.config_route import config_chain_route
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer

CONFIG = ChainConfig(134, True, "https://node.example", "0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f", 0.25)


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    server = HttpServer(
        0, health=Health(), version="1", routes=[config_chain_route(CONFIG)], host="127.0.0.1"
    )
    await server.start()
    yield server
    await server.stop()


async def test_what_the_route_describes_is_what_a_reader_understands(server: HttpServer) -> None:
    """Nothing answers on the gRPC port beside it, so the reader uses the route."""
    assert await ask_chain_config(f"http://127.0.0.1:{server.port}", "TEST") == CONFIG
