"""The chain configuration: gRPC first, HTTP for a config server without gRPC, and answers that cannot be used."""

import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from workerpool_devnet.processes.ports import ServicePorts, free_service_ports
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.chain.config_client import ask_chain_config, read_chain_config
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.process import StartupError
from workerpool_protocol.registry.v1 import config_service_pb2 as pb
from workerpool_protocol.registry.v1.config_service_pb2_grpc import (
    ConfigServiceServicer,
    add_ConfigServiceServicer_to_server,
)

HUB = "0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f"
DOCUMENTED: dict[str, Any] = {
    "chainId": 134,
    "sidechain": True,
    "chainNodeUrl": "https://bellecour.example",
    "iexecHubContractAddress": HUB,
    "blockTime": "PT5S",
}
BELLECOUR = ChainConfig(134, True, "https://bellecour.example", HUB, 5.0)


class Config(ConfigServiceServicer):
    def __init__(self) -> None:
        self.chain = pb.ChainConfig(
            chain_id=134,
            sidechain=True,
            node_url="https://bellecour.example",
            hub_address=HUB,
            block_time=Duration(seconds=5),
        )

    async def GetChain(self, request: Any, context: Any) -> pb.GetChainResponse:
        return pb.GetChainResponse(chain=self.chain)


class HttpConfig:
    """Answers each request with the next of `answers`, and then always the last one."""

    def __init__(self) -> None:
        self.answers: list[Response] = [JSONResponse(DOCUMENTED)]

    async def answer(self, _request: Request) -> Response:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def ports() -> ServicePorts:
    return free_service_ports()


@pytest.fixture
async def by_grpc(ports: ServicePorts) -> AsyncIterator[Config]:
    server, config = grpc.aio.server(), Config()
    add_ConfigServiceServicer_to_server(config, server)
    server.add_insecure_port(f"127.0.0.1:{ports.grpc}")
    await server.start()
    yield config
    await server.stop(0)


@pytest.fixture
async def by_http(ports: ServicePorts) -> AsyncIterator[HttpConfig]:
    config = HttpConfig()
    routes = [Route("/config/chain", config.answer)]
    server = HttpServer(ports.http, health=Health(), version="1", routes=routes, host="127.0.0.1")
    await server.start()
    yield config
    await server.stop()


def url_of(ports: ServicePorts) -> str:
    return f"http://127.0.0.1:{ports.http}"


@pytest.mark.usefixtures("by_grpc")
async def test_config_server_is_asked_by_grpc(ports: ServicePorts) -> None:
    assert await read_chain_config(url_of(ports), source="X") == BELLECOUR


@pytest.mark.usefixtures("by_http")
async def test_config_server_without_grpc_is_asked_by_http(ports: ServicePorts) -> None:
    assert await read_chain_config(url_of(ports), source="X") == BELLECOUR


async def test_config_server_that_does_not_answer_yet_is_waited_for(
    ports: ServicePorts, by_http: HttpConfig
) -> None:
    by_http.answers = [Response(status_code=503), Response("not json"), JSONResponse(DOCUMENTED)]
    failures: list[str] = []
    found = await read_chain_config(
        url_of(ports), source="THE_URL", on_failure=lambda error: failures.append(str(error))
    )
    assert found == BELLECOUR
    assert len(failures) == 2
    assert "503" in failures[0]
    assert "correct THE_URL" in failures[0]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"chainId": None}, "no usable chain configuration"),
        ({"blockTime": "soon"}, "no usable chain configuration"),
        ({"chainId": 0}, "the chain id is 0"),
        ({"blockTime": "PT1M"}, "the block time is 60 s"),
        ({"iexecHubContractAddress": "0x12"}, "the hub address is '0x12'"),
    ],
)
async def test_answer_that_cannot_be_used_is_named(
    ports: ServicePorts, by_http: HttpConfig, changed: dict[str, object], named: str
) -> None:
    by_http.answers = [JSONResponse(DOCUMENTED | changed)]
    with pytest.raises(StartupError, match=named) as refused:
        await read_chain_config(url_of(ports), source="THE_URL")
    assert url_of(ports) in str(refused.value)


async def test_list_instead_of_an_object_is_no_configuration(
    ports: ServicePorts, by_http: HttpConfig
) -> None:
    by_http.answers = [JSONResponse([1])]
    with pytest.raises(StartupError, match="no usable chain configuration"):
        await read_chain_config(url_of(ports), source="X")


async def test_number_beyond_any_is_no_configuration(ports: ServicePorts, by_http: HttpConfig) -> None:
    by_http.answers = [Response(json.dumps(DOCUMENTED | {"chainId": float("inf")}))]
    with pytest.raises(StartupError, match="no usable chain configuration"):
        await read_chain_config(url_of(ports), source="X")


async def test_grpc_answer_is_checked_as_well(ports: ServicePorts, by_grpc: Config) -> None:
    by_grpc.chain.block_time.FromSeconds(60)
    with pytest.raises(StartupError, match="the block time is 60 s"):
        await read_chain_config(url_of(ports), source="X")


async def test_block_time_beyond_any_duration_is_no_configuration(
    ports: ServicePorts, by_grpc: Config
) -> None:
    by_grpc.chain.block_time.seconds = 1 << 62
    with pytest.raises(StartupError, match="no usable chain configuration"):
        await ask_chain_config(url_of(ports), "X")


@pytest.mark.parametrize("url", ["", "http://config-server"])
async def test_a_permanent_error_is_raised_after_one_attempt(
    ports: ServicePorts, by_grpc: Config, url: str
) -> None:
    by_grpc.chain.chain_id = 0
    with pytest.raises(StartupError, match="the chain id is 0"):
        await ask_chain_config(url_of(ports), "X")
    with pytest.raises(StartupError, match="X: expected a URL with a host and a port"):
        await ask_chain_config(url, "X")


async def test_url_without_a_port_is_refused_by_the_name_of_its_setting() -> None:
    with pytest.raises(StartupError, match="THE_URL: expected a URL with a host and a port"):
        await read_chain_config("http://config-server", source="THE_URL")
