"""The two ports of a service: what each tells while the service starts, and that both close with it."""

import socket
from contextlib import AsyncExitStack

import http_calls
from grpc_health.v1 import health_pb2, health_pb2_grpc
from patience import PATIENCE_S
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from workerpool_devnet.processes.ports import free_service_ports
from workerpool_kit.grpc.client import open_channel
from workerpool_kit.health import Health
from workerpool_kit.serving import new_grpc_server, open_grpc, open_http
from workerpool_kit.settings.base import Settings, env

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


class ExampleSettings(Settings):
    http_port: int = env("EXAMPLE_PORT", 0, doc="HTTP port")
    grpc_port: int | None = env("EXAMPLE_GRPC_PORT", None, doc="gRPC port")


async def _status(port: int) -> int:
    async with open_channel(f"127.0.0.1:{port}", own_subchannel=True) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S)
        return int(answer.status)


async def _ready(_request: Request) -> Response:
    return PlainTextResponse("ready")


async def test_http_tells_the_health_of_a_start_and_grpc_follows_it() -> None:
    ports = free_service_ports()
    settings = ExampleSettings(http_port=ports.http, http_bind="127.0.0.1", grpc_bind="127.0.0.1")
    health = Health()
    health.set("database", False, problem="not reached yet")
    async with AsyncExitStack() as cleanup:
        http = await open_http(settings, health, cleanup)
        url = f"http://127.0.0.1:{http.port}"
        assert (await http_calls.get(f"{url}/actuator/health")).status == 503
        assert (await http_calls.get(f"{url}/ready")).status == 404
        assert "workerpool-grpc" not in (await http_calls.get(f"{url}/version")).headers

        server = new_grpc_server(settings, policy={})
        await open_grpc(server, settings, health, http, cleanup)
        http.add_routes([Route("/ready", _ready)])
        assert server.port == ports.http + 10_000, "the documented port"
        assert (await http_calls.get(f"{url}/version")).headers["workerpool-grpc"] == str(server.port)
        assert (await http_calls.get(f"{url}/ready")).text == "ready"
        assert await _status(server.port) == NOT_SERVING
        health.set("database", True)
        assert await _status(server.port) == SERVING
    for port in (http.port, server.port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


async def test_an_address_that_the_operator_names_is_reported() -> None:
    settings = ExampleSettings(
        grpc_port=0, http_bind="127.0.0.1", grpc_bind="127.0.0.1", grpc_public_target="https://grpc.example"
    )
    async with AsyncExitStack() as cleanup:
        http = await open_http(settings, Health(), cleanup)
        await open_grpc(new_grpc_server(settings, policy={}), settings, Health(), http, cleanup)
        told = await http_calls.get(f"http://127.0.0.1:{http.port}/version")
        assert told.headers["workerpool-grpc"] == "https://grpc.example"
